"""Sessions end by themselves, log-ins leave a line, pages are not met in the browser, and owners hear of changes."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from governance.accounts import actions as accounts
from governance.accounts.domain import MAIL_TEXTS, SecurityEvent
from governance.accounts.web.session_limits import ENDED, SEEN
from governance.audit.models import AuditEvent
from governance.jobs import tasks as jobs_tasks
from governance.jobs.models import OutboxMessage
from governance.jobs.queries import message_id_of
from tests.factories.people import PASSWORD, Cast

As = Callable[[User], Client]
IDLE, LONGEST = timedelta(minutes=480), timedelta(hours=168)


class Clock:
    """The time, moved by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Clock:
    clock = Clock(now)
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def is_in(client: Client) -> bool:
    return client.get("/requests/").status_code == 200


def test_a_session_ends_after_hours_without_a_click(cast: Cast, as_: As, clock: Clock) -> None:
    client = as_(cast.author)
    assert is_in(client)
    clock.moment += IDLE - timedelta(seconds=1)
    assert is_in(client)
    clock.moment += IDLE - timedelta(seconds=1)
    assert is_in(client), "the click before counts"
    clock.moment += IDLE
    assert client.get("/requests/")["Location"] == "/accounts/login/?next=/requests/"
    page = "/requests/?q=vision"
    sent = client.post("/requests/new/", {}, headers={"referer": f"http://testserver{page}"})
    assert sent["Location"] == "/accounts/login/?next=/requests/%3Fq%3Dvision"
    for foreign in ("http://elsewhere.test/requests/", "http://testserver//elsewhere.test/", "nothing"):
        sent = client.post("/findings/3/assign/", {}, headers={"referer": foreign})
        assert sent["Location"] == "/accounts/login/?next=/findings/3/", "no page but our own is followed"
    assert ENDED.replace(",", "") in client.get("/accounts/login/").content.decode().replace(",", "")
    assert not is_in(client), "and stays ended"


def test_a_session_ends_after_days_whatever_is_clicked(cast: Cast, as_: As, clock: Clock) -> None:
    client, end = as_(cast.author), clock.moment + LONGEST
    while clock.moment + timedelta(hours=7) < end:
        assert is_in(client)
        clock.moment += timedelta(hours=7)
    clock.moment = end
    assert not is_in(client)


def test_an_ended_session_does_nothing(cast: Cast, as_: As, clock: Clock) -> None:
    client, count = as_(cast.admin), AuditEvent.objects.count()
    clock.moment += IDLE
    assert client.post("/integrations/check/")["Location"].startswith("/accounts/login/")
    assert (AuditEvent.objects.count(), OutboxMessage.objects.count()) == (count, 0)


def test_a_session_is_written_down_once_in_a_minute(cast: Cast, as_: As, clock: Clock) -> None:
    client, begun_s = as_(cast.author), clock.moment.timestamp()
    assert is_in(client)
    clock.moment += timedelta(seconds=59)
    assert (is_in(client), client.session[SEEN]) == (True, begun_s)
    clock.moment += timedelta(seconds=1)
    assert (is_in(client), client.session[SEEN]) == (True, begun_s + 60)


def test_log_ins_leave_a_line_and_no_name_of_nobody(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="governance.accounts.web.account_events")
    for login, password in (("author", PASSWORD), ("author", "wrong"), ("a password typed here", "wrong")):
        Client().post("/accounts/login/", {"login": login, "password": password})
    lines = [(line.getMessage(), line.__dict__["facts"]) for line in caplog.records if "facts" in line.__dict__]
    told = [(said, facts) for said, facts in lines if said.endswith("ogged in.")]
    assert told == [
        ("Logged in.", {"user_id": cast.author.pk, "methods": "password"}),
        ("Not logged in.", {"user_id": cast.author.pk, "address": "127.0.0.1"}),
        ("Not logged in.", {"user_id": "", "address": "127.0.0.1"}),
    ]


def test_pages_and_answers_are_not_kept_in_the_browser(cast: Cast, as_: As) -> None:
    client = as_(cast.admin)
    for path in ("/requests/", "/audit/", "/audit.csv", "/api/v1/requests/", "/requests/none/"):
        assert client.get(path)["Cache-Control"] == "no-store", path


@pytest.mark.usefixtures("with_mail")
@pytest.mark.parametrize("happening", SecurityEvent)
def test_the_owner_is_told_by_mail_once_it_has_happened(cast: Cast, now: datetime, happening: SecurityEvent) -> None:
    accounts.record_security_event(happening=happening, user=cast.author, by=cast.admin, now=now)
    rows = list(OutboxMessage.objects.filter(kind=accounts.TELL))
    assert len(rows) == (happening in MAIL_TEXTS)
    assert mail.outbox == []
    for row in rows:
        jobs_tasks.deliver(row.pk)
        row.refresh_from_db()
        (sent,) = mail.outbox
        assert (row.state, sent.to, sent.subject) == (
            "done",
            [cast.author.email],
            f"Weighbridge: {MAIL_TEXTS[happening]}",
        )
        assert f"{now:%Y-%m-%d %H:%M} UTC" in str(sent.body)
        assert sent.extra_headers["Message-ID"] == message_id_of(row.key)


def test_without_mail_nobody_is_told_and_nothing_waits(cast: Cast, now: datetime) -> None:
    accounts.record_security_event(happening=SecurityEvent.FACTOR_ADDED, user=cast.author, by=None, now=now)
    assert not OutboxMessage.objects.exists()


@pytest.mark.usefixtures("with_mail")
def test_whoever_has_no_address_or_no_account_any_more_is_told_nothing(cast: Cast, now: datetime) -> None:
    User.objects.filter(pk=cast.finance.pk).update(email="")
    cast.finance.refresh_from_db()
    accounts.record_security_event(happening=SecurityEvent.FACTOR_ADDED, user=cast.finance, by=None, now=now)
    accounts.record_security_event(happening=SecurityEvent.FACTOR_ADDED, user=None, by=None, now=now)
    assert not OutboxMessage.objects.exists()
    accounts.record_security_event(happening=SecurityEvent.FACTOR_ADDED, user=cast.author, by=None, now=now)
    User.objects.filter(pk=cast.author.pk).update(email="")
    jobs_tasks.deliver(OutboxMessage.objects.get().pk)
    assert (OutboxMessage.objects.get().state, mail.outbox) == ("done", [])
