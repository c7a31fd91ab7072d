"""A real browser before a real server: Debian's Chromium, on loopback alone, with everything it does on record."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from examples.recorded.screenshots.chromium import CHROMIUM, MISSING, SILENT
from tests.factories.people import Cast, make_cast
from tests.integration.conftest import _tasks, installation, now, signing_key_pem

# Playwright keeps an event loop in this thread, and Django would refuse its database there; nothing here is async.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
os.environ["DJANGO_LIVE_TEST_SERVER_ADDRESS"] = "127.0.0.1"

PATIENCE_MS = 60_000  # a machine that is busy with other tests takes its time
expect.set_options(timeout=PATIENCE_MS)

__all__ = ["_tasks", "installation", "now", "signing_key_pem"]

LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI || event.sample}`));
"""


@dataclass
class Record:
    """What happened in a browser that must not happen."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Visitor:
    """A person's browser: its page, and the record of it."""

    page: Page
    record: Record
    url: str

    def go(self, path: str) -> None:
        """Open a page of ours and wait for the parts it fetches."""
        self.page.goto(f"{self.url}{path}", wait_until="load")
        self.page.locator("[hx-trigger=load]").first.wait_for(state="detached")

    def violations(self) -> list[str]:
        """What the content policy forbade on this page, once it has loaded."""
        self.page.wait_for_load_state()
        found: list[str] = self.page.evaluate("window.violations")
        return found


def follow(link: Locator) -> None:
    """Click what leads to another page, and wait until that page has loaded; before, no script can count on either."""
    link.page.wait_for_load_state()
    with link.page.expect_event("load"):
        link.click()


@pytest.fixture
def cast(live_server: LiveServer, now: datetime) -> Cast:
    """Everybody, each with one role, in the database the server reads."""
    return make_cast(now=now)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file. What comes after it in this process finds no event loop of it any more.

    While that loop runs, Django keeps its connections apart from those of the time before; they are closed with it.
    """
    if not CHROMIUM.exists():
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SILENT))
        yield chromium
        connections.close_all()
        chromium.close()


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Callable[[User | None], Visitor]]:
    """A browser of its own for a person (None: a stranger), already logged in."""
    contexts: list[BrowserContext] = []

    def visitor(user: User | None = None, *, scale: int = 1) -> Visitor:
        size = {"width": 1280, "height": 900}
        context = browser.new_context(viewport=size, reduced_motion="reduce", device_scale_factor=scale)
        contexts.append(context)
        context.add_init_script(LISTEN)
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page, record = context.new_page(), Record()
        page.set_default_timeout(PATIENCE_MS)
        _watch(page, record, live_server.url)
        return Visitor(page, record, live_server.url)

    yield visitor
    for context in contexts:
        context.close()


def _watch(page: Page, record: Record, url: str) -> None:
    page.on(
        "request",
        lambda request: None if request.url.startswith((f"{url}/", "data:")) else record.foreign.append(request.url),
    )
    page.on("pageerror", lambda error: record.complaints.append(str(error)))
    page.on("console", lambda said: record.complaints.append(said.text) if said.type == "error" else None)
