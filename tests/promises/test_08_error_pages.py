"""Promise 8: no secret on any error page, by web or API, in no log line, row, packet or metric, whatever fails.

Every status either door can answer is provoked while secrets are in the settings, in the request and in what breaks.
"""

import base64
import json
import logging
import smtplib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import kombu.exceptions
import pytest
from django.conf import settings as live
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from pypdf import PdfReader
from pytest_django import Settings
from rest_framework.test import APIClient

from config import env
from config.log_lines import JsonLine, TextLine
from governance.audit.models import AuditEvent
from governance.jobs import tasks as jobs_tasks
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from governance.site.models import AnsweredPost
from reviews.packets import actions as packets
from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page
from tests.factories import requests as walks
from tests.factories.people import Cast, make_cast
from tests.factories.tickets import make_routed_site
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import harness_report
from tests.standins.jira_cloud import JiraCloud
from weighbridge.core import masking

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
pytestmark = pytest.mark.django_db

CANARY = "k4n4rienv0gel"
VARIABLES = {
    "WEIGHBRIDGE_SECRET_KEY": f"{CANARY}-django",
    "OIDC_CLIENT_SECRET": f"{CANARY}-oidc",
    "DATABASE_URL": f"postgresql://weigh:{CANARY}-db@db:5432/w",
    "BROKER_URL": f"redis://:{CANARY}-broker@broker/0",
    "EMAIL_URL": f"smtp://mail:{CANARY}-mail@host:25",
}
WEB = {400, 403, 404, 405, 409, 413, 429, 500, 503}
API = {400, 401, 403, 404, 405, 409, 413, 415, 422, 500}  # 503 and 507: test_outages.py


class Lines(logging.Handler):
    """What would stand in the log of a terminal and of production."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.forms = "", (JsonLine(), TextLine())

    def emit(self, record: logging.LogRecord) -> None:
        self.text += "".join(form.format(record) + "\n" for form in self.forms)


class Secrets:
    """Everything nobody may read, by name."""

    def __init__(self, token: str, session: str, key: Path) -> None:
        body = [line for line in key.read_text().splitlines() if "PRIVATE KEY" not in line]
        self.known = {"canary": CANARY, "token": token, "session": session, "signing key": body[0]}
        self.known |= {"jira account": base64.b64encode(f"bot@example.org:{CANARY}-jira".encode()).decode()}

    def text(self) -> str:
        """All of them in one sentence, as a careless error says them."""
        shown = f"Authorization: Basic {self.known['jira account']}\ncookie: sessionid={self.known['session']}\n"
        pem = live.WEIGHBRIDGE["SIGNING_KEY"].read_text()
        return f"{' '.join(VARIABLES.values())} {self.known['token']}\n{shown}{pem}"

    def told_in(self, text: str) -> list[str]:
        """The names of those that stand in the text."""
        return [name for name, secret in self.known.items() if secret in text]


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


@pytest.fixture(autouse=True)
def in_the_settings(monkeypatch: pytest.MonkeyPatch, settings: Settings, installation: Path) -> None:
    """Read as the settings read them, and put there."""
    monkeypatch.setattr(masking, "_known", set())
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
        assert env.text(name) == value
    settings.SECRET_KEY = f"{CANARY}-django"
    masking.hide_secrets(f"{CANARY}-jira", f"{CANARY}-hook-new", f"{CANARY}-hook-old")


@pytest.fixture
def log() -> Iterator[Lines]:
    lines, root = Lines(), logging.getLogger()
    root.addHandler(lines)
    yield lines
    root.removeHandler(lines)


@pytest.fixture
def browser(cast: Cast, in_the_settings: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin)
    return client


@pytest.fixture
def program(cast: Cast, now: datetime) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(
        HTTP_AUTHORIZATION=f"Token {people.create_token(user=cast.admin, valid_days=1, by=None, now=now)}"
    )
    return client


@pytest.fixture
def secrets(browser: Client, program: APIClient) -> Secrets:
    """What must not be told."""
    token = program._credentials["HTTP_AUTHORIZATION"].removeprefix("Token ")
    return Secrets(token, browser.cookies["sessionid"].value, live.WEIGHBRIDGE["SIGNING_KEY"])


def rows() -> str:
    """Whatever the database keeps that people read."""
    kept = (OutboxMessage, AuditEvent, AnsweredPost)
    return json.dumps([list(model._default_manager.values()) for model in kept], default=str)


def check(secrets: Secrets, log: Lines, answers: list[HttpResponse], said: str = "") -> int:
    """No secret in the answers, the log, the rows, the metrics or what else was said; how many there were."""
    told = {}
    for answer in answers:
        headers = {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}
        if found := secrets.told_in(f"{headers} {answer.getvalue().decode(errors='replace')}"):
            told[answer.request["PATH_INFO"]] = found
    assert told == {}
    elsewhere = [each for text in (log.text, rows(), said) for each in secrets.told_in(text)]
    assert elsewhere == []
    return len(told) + len(elsewhere)


def broken(secrets: Secrets) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(secrets.text())

    return fail


def test_no_error_page_tells_a_secret(
    cast: Cast,
    policy: object,
    now: datetime,
    browser: Client,
    secrets: Secrets,
    log: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = walks.make_submitted(by=cast.author, now=now)
    packets.freeze(request=request, by=cast.author, now=now)
    monkeypatch.setattr("governance.operations.web.integrations.effects.health", broken(secrets))
    strict, author = Client(enforce_csrf_checks=True), Client()
    author.force_login(cast.author)
    strict.force_login(cast.admin)
    big = {"CONTENT_LENGTH": str(10**12), "CONTENT_TYPE": "text/plain"}
    answers = [
        browser.get("/", HTTP_HOST="evil.example"),
        strict.post("/sandbox/choose/", {"reason": "x"}),
        author.get("/audit/"),
        browser.get("/requests/none/"),
        browser.get("/integrations/check/"),
        browser.get(f"/requests/{request.ref}/packets/1/"),
        browser.generic("POST", "/requests/new/", b"x", **big),
        browser.post("/sandbox/choose/", {"reason": ""}),
        browser.get("/integrations/"),
        browser.get("/readyz"),
        *(Client().post("/accounts/login/", {"login": "x", "password": secrets.known["token"]}) for _ in range(31)),
    ]
    monkeypatch.setitem(live.WEIGHBRIDGE, "SIGNING_KEY", Path("/nowhere"))
    answers.append(browser.get("/readyz"))
    assert {answer.status_code for answer in answers} - {200} == WEB
    assert "RuntimeError" in log.text
    monkeypatch.undo()
    told = check(secrets, log, answers)
    harness_report.tell("secrets", __file__, what="pages", answers=len(answers), statuses=len(WEB), told=told)


def test_no_problem_of_the_api_tells_a_secret(
    cast: Cast,
    policy: object,
    now: datetime,
    program: APIClient,
    secrets: Secrets,
    log: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = walks.make_submitted(by=cast.author, now=now)
    packets.freeze(request=request, by=cast.author, now=now)
    monkeypatch.setattr("governance.inventory.api.inventory.listed", broken(secrets))
    author = APIClient()
    author.force_authenticate(cast.author)
    sent = {"may_skip_bubblewrap": True, "reason": "First."}
    answers = [
        program.get("/api/v1/requests/?color=red"),
        APIClient().get("/api/v1/requests/"),
        author.get("/api/v1/audit/"),
        program.get("/api/v1/requests/none/"),
        program.delete("/api/v1/requests/"),
        program.get(f"/api/v1/requests/{request.ref}/packets/pdf/"),
        program.generic(
            "POST", "/api/v1/requests/", b"{}", content_type="application/json", CONTENT_LENGTH=str(10**12)
        ),
        program.post("/api/v1/sandbox/", "x", content_type="text/plain"),
        program.post("/api/v1/sandbox/", sent, format="json", HTTP_IDEMPOTENCY_KEY="k"),
        program.post("/api/v1/sandbox/", sent | {"reason": "Second."}, format="json", HTTP_IDEMPOTENCY_KEY="k"),
        program.get("/api/v1/models/"),
    ]
    assert {answer.status_code for answer in answers} - {200} == API
    assert "RuntimeError" in log.text
    told = check(secrets, log, answers)
    harness_report.tell("secrets", __file__, what="API", answers=len(answers), statuses=len(API), told=told)


def test_a_jira_that_repeats_what_it_was_sent(
    browser: Client, now: datetime, secrets: Secrets, log: Lines, settings: Settings
) -> None:
    """Its refusal quotes the account and the token; the page, the row and the log do not."""
    with JiraCloud() as jira:
        make_routed_site(now=now, url=jira.url, token=f"{CANARY}-jira", webhook=f"{CANARY}-hook-new")
        jira.order(
            ".*", status=400, body={"errorMessages": [secrets.text()], "errors": {"summary": secrets.text()}}, times=99
        )
        browser.post("/integrations/check/")
        for _ in range(2):  # the request to test, and the test of the site
            for pk in list(OutboxMessage.objects.values_list("pk", flat=True)):
                jobs_tasks.deliver(pk)
        answers = [
            browser.get("/integrations/"),
            browser.get("/integrations/ticket-sites/"),
            browser.get("/audit/"),
            browser.get("/readyz"),
        ]
    assert OutboxMessage.objects.exists()
    check(secrets, log, answers)


def test_mail_that_cannot_be_sent(cast: Cast, secrets: Secrets, log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise smtplib.SMTPAuthenticationError(535, secrets.text().encode())

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", fail)
    stranger = Client(raise_request_exception=False)
    answer = stranger.post("/accounts/password/reset/", {"email": cast.author.email})
    assert answer.status_code == 500
    assert "SMTPAuthenticationError" in log.text
    check(secrets, log, [answer])


def test_a_broker_that_is_gone(
    browser: Client,
    secrets: Secrets,
    log: Lines,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kombu.exceptions.OperationalError(f"Error 111 connecting to {VARIABLES['BROKER_URL']}: {secrets.text()}")

    monkeypatch.setattr("celery.app.base.Celery.send_task", fail)
    with django_capture_on_commit_callbacks(execute=True):
        answers = [browser.post("/integrations/check/", follow=True)]
    assert answers[0].status_code == 200
    assert OutboxMessage.objects.filter(kind="tracker.check").exists()
    check(secrets, log, answers)


def test_a_database_that_is_gone(
    browser: Client, program: APIClient, secrets: Secrets, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError(f"connection to {VARIABLES['DATABASE_URL']} failed: {secrets.text()}")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", fail)
    answers = [
        browser.get("/requests/"),
        program.get("/api/v1/requests/"),
        Client().get("/readyz"),
        Client().get("/livez"),
    ]
    monkeypatch.undo()
    assert [answer.status_code for answer in answers] == [503, 503, 503, 200]
    assert connection.is_usable()
    check(secrets, log, answers)


def test_packet_and_metrics(
    cast: Cast, policy: object, now: datetime, browser: Client, program: APIClient, secrets: Secrets, log: Lines
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    packet = packets.freeze(request=request, by=cast.author, now=now)
    page = packet_page(packet)
    html = render_to_string("reviews/packets/review.html", page.context)
    printed = WeasyPrintPrinter().print(html, assets=page.assets)
    text = "".join(sheet.extract_text() for sheet in PdfReader(ContentFile(printed)).pages)
    metrics = program.get("/metrics")
    assert metrics.status_code == 200
    check(secrets, log, [metrics], json.dumps(packet.document) + html + text)
