"""Canary secrets: known to the settings, met by failing code, found in no log, page, outbox row, audit row
or packet.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from config import env
from config.log_lines import JsonLine
from config.settings import variables as known
from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.jobs import outbox
from governance.jobs import tasks as jobs_tasks
from governance.jobs.models import OutboxMessage
from reviews.packets import actions as packets
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.queries.connections import settings_of, webhook_secrets
from reviews.tickets import actions as effects
from reviews.tickets.ports import TrackerHealth, TrackerUnreachable
from tests.factories.tickets import make_connected_site, make_site
from tests.integration.conftest import (
    admin,
    author,
    cast,
    checklist,
    installation,
    now,
    policy,
    signing_key_pem,
    submitted,
)
from weighbridge.core import masking

__all__ = ["admin", "author", "cast", "checklist", "installation", "now", "policy", "signing_key_pem", "submitted"]
CANARY = "k4n4rienv0gel"
VARIABLES = {
    "WEIGHBRIDGE_SECRET_KEY": f"{CANARY}-django",
    "OIDC_CLIENT_SECRET": f"{CANARY}-oidc",
    "DATABASE_URL": f"postgresql://weigh:{CANARY}-db@db:5432/w",
    "BROKER_URL": f"redis://:{CANARY}-broker@broker/0",
    "EMAIL_URL": f"smtp://mail:{CANARY}-mail@host:25",
}
SECRETS = [f"{CANARY}-{name}" for name in ("django", "oidc", "db", "broker", "mail")]


class Lines(logging.Handler):
    """What would stand in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLine())
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as the settings read them; that of a ticket site as it is read from the database."""
    monkeypatch.setattr(masking, "_known", set())
    masking.hide_secrets(f"{CANARY}-jira")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
        assert env.text(name) == value


@pytest.fixture
def log() -> Iterator[Lines]:
    lines, root = Lines(), logging.getLogger()
    root.addHandler(lines)
    yield lines
    root.removeHandler(lines)


def test_every_variable_that_holds_a_secret_is_known_once_read() -> None:
    for secret in SECRETS:
        assert masking.mask(f"said {secret}!") == "said [hidden]!"
    kinds = {variable.name: variable.kind for variable in known.VARIABLES}
    suspicious = [name for name in kinds if name.endswith(("TOKEN", "SECRET", "SECRETS", "PASSWORD", "SECRET_KEY"))]
    assert len(suspicious) >= 3
    assert [name for name in suspicious if kinds[name] != "secret"] == []


def test_error_page_and_its_log(admin: User, log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError(" ".join(SECRETS))

    monkeypatch.setattr("governance.operations.web.integrations.effects.health", fail)
    browser = Client(raise_request_exception=False)
    browser.force_login(admin)
    answer = browser.get(
        "/integrations/", headers={"Authorization": f"Basic {CANARY}-jira", "X-Api-Key": f"{CANARY}-db"}
    )
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    assert "RuntimeError" in log.text
    assert CANARY not in log.text
    assert json.loads(log.text.splitlines()[-1])["level"] in {"INFO", "ERROR"}


def test_outbox_and_integrations_page(admin: User, now: datetime, log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(message: OutboxMessage) -> None:
        raise RuntimeError(" ".join(SECRETS))

    monkeypatch.setitem(outbox.HANDLERS, "canary", fail)
    jobs_tasks.deliver(outbox.enqueue(kind="canary", key="c", lane="c", payload={}, now=now).pk)
    row = OutboxMessage.objects.get(key="c")
    assert row.error.startswith("RuntimeError: [hidden]")
    browser = Client()
    browser.force_login(admin)
    page = browser.get("/integrations/").content.decode()
    assert "RuntimeError" in page
    assert CANARY not in row.error + page + log.text


def test_audit_rows(db: None, now: datetime) -> None:
    effects.record_health(
        site=make_site(now=now), health=TrackerHealth(ok=False, sentence=f"401 for {CANARY}-jira"), now=now
    )
    with transaction.atomic():
        details = {"list": [f"a {CANARY}-db", 3], "inner": {"x": f"{CANARY}-mail"}}
        audit.record(kind="canary", by=None, subject=("x", "1"), details=details, reason=f"{CANARY}-oidc", now=now)
    assert AuditEvent.objects.get(kind="canary").details == {"list": ["a [hidden]", 3], "inner": {"x": "[hidden]"}}
    assert CANARY not in str(list(AuditEvent.objects.values()))
    assert first_broken() is None


def test_packets(submitted: ReviewRequest, author: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    effects.record_health(
        site=make_site(now=now), health=TrackerHealth(ok=False, sentence=f"401 for {CANARY}-jira"), now=now
    )
    packet = packets.freeze(request=submitted, by=author, now=now)
    assert CANARY not in json.dumps(packet.document)


def test_the_credential_of_a_site(admin: User, now: datetime, log: Lines) -> None:
    """Encrypted in the table, hidden from the moment it is read, on no page and in no answer."""
    site = make_site(now=now, token=f"{CANARY}-token", webhook=f"{CANARY}-hook", url="http://127.0.0.1:9")
    assert CANARY.encode() not in bytes(site.credential) + bytes(site.webhook_secret)
    assert CANARY not in repr(settings_of(site))
    assert webhook_secrets(site) == [f"{CANARY}-hook"]
    assert masking.mask(f"{CANARY}-token {CANARY}-hook") == "[hidden] [hidden]"
    browser = Client()
    browser.force_login(admin)
    paths = ("/settings/tickets/", *(f"/settings/tickets/{site.pk}/{part}" for part in ("", "credential/", "webhook/")))
    pages = [browser.get(path) for path in (*paths, "/integrations/ticket-sites/", "/admin/tickets/ticketsite/")]
    assert {page.status_code for page in pages[:-1]} == {200}
    assert CANARY not in "".join(page.content.decode() for page in pages) + log.text


def test_the_tokens_of_a_site(admin: User, now: datetime, log: Lines) -> None:
    """Those of OAuth and the secret of the app: encrypted, hidden from the moment they are read, on no page."""
    grant = make_connected_site(now=now, access=f"{CANARY}-access", token=f"{CANARY}-app", url="http://127.0.0.1:9")
    assert CANARY.encode() not in bytes(grant.access_token) + bytes(grant.refresh_token) + bytes(grant.site.credential)
    settings = settings_of(grant.site)
    assert CANARY not in repr(settings)
    with pytest.raises(TrackerUnreachable) as failure:
        settings.oauth.tokens("")
    for name in ("access", "access-refresh", "app"):
        assert masking.mask(f"said {CANARY}-{name}!") == "said [hidden]!"
    browser = Client()
    browser.force_login(admin)
    pages = [browser.get(f"/settings/tickets/{grant.site.pk}/{part}") for part in ("", "oauth/", "credential/")]
    assert {page.status_code for page in pages} == {200}
    assert CANARY not in "".join(page.content.decode() for page in pages) + log.text + failure.value.reason
