"""A passkey, from its making to a vote, in Chromium with an authenticator that is a program (WebAuthn by CDP).

Browsers make passkeys for names, never for bare addresses, so everything here happens at `localhost`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from governance.audit.models import AuditEvent
from reviews.voting.models import Vote
from tests.factories import requests as walks
from tests.factories.people import PASSWORD, Cast
from tests.functional.conftest import LISTEN, PATIENCE_MS, follow
from tests.integration.conftest import checklist, policy

__all__ = ["checklist", "policy"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Desk:
    """A browser with an authenticator built in."""

    context: BrowserContext
    page: Page
    url: str
    found: list[str]

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")

    def note_violations(self) -> None:
        """What the content policy forbade on this page."""
        self.found += self.page.evaluate("window.violations")

    def log_out(self) -> None:
        self.context.clear_cookies()


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Desk]:
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(LISTEN)
    page, found = context.new_page(), []
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
    yield Desk(context, page, live_server.url.replace("127.0.0.1", "localhost"), found)
    context.close()


def add_passkey(desk: Desk, username: str) -> None:
    page = desk.page
    desk.go("/accounts/login/")
    page.locator("#id_login").fill(username)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/")
    desk.go("/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/webauthn/add/**")
    page.locator("#id_name").fill("My laptop")
    page.locator("#id_passwordless").check()
    desk.note_violations()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/recovery-codes/**")
    desk.note_violations()


def test_a_passkey_is_made_logs_in_and_is_asked_for_again_before_a_vote(
    desk: Desk, cast: Cast, policy: object, now: datetime, settings: Settings
) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    page = desk.page
    add_passkey(desk, "reviewer_one")
    factor = Authenticator.objects.get(type="webauthn")
    assert (factor.user, factor.wrap().is_passwordless) == (cast.reviewer_one, True)

    desk.log_out()
    desk.go("/accounts/login/")
    desk.note_violations()
    page.locator("#passkey_login").click()
    page.wait_for_url(f"{desk.url}/")
    assert Authenticator.objects.get(pk=factor.pk).last_used_at is not None

    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0  # what was proved a moment ago is old
    desk.go(f"/requests/{request.ref}/")
    page.locator("#votes input[value=approve]").check()
    page.locator("#votes textarea[name=rationale]").fill("Measured well.")
    page.get_by_role("button", name="Cast the vote").click()
    page.wait_for_url("**/accounts/2fa/reauthenticate/**")
    assert not Vote.objects.exists()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    if "webauthn" not in page.url:
        desk.note_violations()
        follow(page.get_by_role("link", name="security key"))
    desk.note_violations()
    page.locator("#mfa_webauthn_reauthenticate").click()
    page.wait_for_url(f"**/requests/{request.ref}/**")
    vote = Vote.objects.get()
    assert (vote.person, vote.choice, vote.rationale) == (cast.reviewer_one, "approve", "Measured well.")
    kinds = AuditEvent.objects.filter(subject="reviewer_one").exclude(kind__startswith="role.").order_by("position")
    assert [event.kind for event in kinds] == ["second_factor.added", "recovery_codes.generated"]
    assert desk.found == []
