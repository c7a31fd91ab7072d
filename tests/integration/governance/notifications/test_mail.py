"""Mail leaves at once or once a day, collected, in the hours of the person, and looks as mail should."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as terms
from hypothesis import strategies as st
from pytest_django import Settings

from governance.absences.actions.absences import state_absence
from governance.absences.domain import Period
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.notifications.actions.preferences import choose
from governance.notifications.domain.hours import WINDOW, MailHours
from governance.notifications.models import Dispatch, Notification
from governance.notifications.outbox.dispatches import dispatch_due
from governance.notifications.outbox.notices import notify
from governance.notifications.outbox.reading import mark_read
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import deliver_all, happened
from tests.standins.mail_server import MailServer
from tests.threads import together

As = Callable[[User], Client]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NEXT_DIGEST = datetime(2026, 5, 5, 8, tzinfo=UTC)


def texts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_what_lapses_is_mailed_at_once(cast: Cast, mailbox: MailServer) -> None:
    sentence = "The request <b>expires</b> without your vote."
    notify(event=happened(kind="lapses", sentence=sentence, until=NEXT_DIGEST), people=[cast.author], now=NOON)
    (row,) = dispatch_due(now=NOON)
    with time_machine.travel(NOON, tick=False):
        (sent,) = deliver_all(NOON)
    assert sent.state == JobState.DONE
    row.refresh_from_db()
    assert row.sent_at is not None
    (message,) = mailbox.messages
    assert (message["To"], message["Subject"]) == (cast.author.email, "Weighbridge: Lapses soon: MRR-2026-0001")
    assert message["Message-ID"].startswith("<msg_")
    assert message["Message-ID"].endswith("@weighbridge.test>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].strip().startswith("<https://weighbridge.test/notifications/unsubscribe/")
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = texts(message)
    assert f"{sentence} Until 2026-05-05 08:00 UTC." in plain
    assert "https://weighbridge.test/notifications/open/" in plain
    assert "&lt;b&gt;expires&lt;/b&gt;" in html
    assert dispatch_due(now=NOON + timedelta(days=2)) == []


def test_a_thousand_events_are_two_mails(cast: Cast, mailbox: MailServer) -> None:
    notify(event=happened(kind="lapses", key="first"), people=[cast.author], now=NOON)
    assert len(dispatch_due(now=NOON)) == 1
    for n in range(999):
        notify(event=happened(kind="lapses", key=str(n)), people=[cast.author], now=NOON)
        if n % 100 == 0:
            assert dispatch_due(now=NOON + timedelta(milliseconds=500 * n)) == []
    assert len(dispatch_due(now=NOON + WINDOW)) == 1
    deliver_all(NOON + WINDOW)
    first, rest = mailbox.messages
    assert rest["Subject"] == "Weighbridge: Lapses soon: 999 notifications"
    assert "And 949 more: https://weighbridge.test/notifications/" in texts(rest)[0]
    assert first["Message-ID"] != rest["Message-ID"]
    assert Notification.objects.filter(dispatch=None).count() == 0


def test_kinds_and_people_are_collected_apart(cast: Cast) -> None:
    for kind in ("lapses", "condition_due"):
        notify(event=happened(kind=kind, key=kind), people=[cast.author, cast.product], now=NOON)
    made = dispatch_due(now=NOON)
    assert sorted((row.person.username, row.kind) for row in made if row.person) == [
        *(("author", "condition_due"), ("author", "lapses")),
        *(("product", "condition_due"), ("product", "lapses")),
    ]


def test_the_digest_comes_once_a_day_at_the_chosen_hour(cast: Cast, mailbox: MailServer) -> None:
    hours = MailHours(time_zone="Europe/Berlin", digest_hour=18)
    choose(paces={}, hours=hours, by=cast.author, now=NOON)
    notify(event=happened(key="a"), people=[cast.author], now=NOON)
    notify(event=happened(key="b", kind="failed"), people=[cast.author], now=NOON)
    assert dispatch_due(now=NOON.replace(hour=15, minute=59)) == []
    assert len(dispatch_due(now=NOON.replace(hour=16))) == 1
    notify(event=happened(key="c"), people=[cast.author], now=NOON.replace(hour=17))
    assert dispatch_due(now=NOON.replace(hour=23)) == []
    assert len(dispatch_due(now=NOON.replace(day=5, hour=16))) == 1
    deliver_all(NOON.replace(day=5, hour=16))
    assert [message["Subject"] for message in mailbox.messages] == [
        "Weighbridge, daily: 2 notifications",
        "Weighbridge, daily: Decided: MRR-2026-0001",
    ]


def test_a_new_hour_brings_no_second_digest_of_the_day(cast: Cast) -> None:
    notify(event=happened(key="a"), people=[cast.author], now=NOON)
    assert len(dispatch_due(now=NEXT_DIGEST)) == 1
    notify(event=happened(key="b"), people=[cast.author], now=NEXT_DIGEST)
    choose(paces={}, hours=MailHours(digest_hour=20), by=cast.author, now=NEXT_DIGEST)
    assert dispatch_due(now=NEXT_DIGEST.replace(hour=21)) == []
    assert len(dispatch_due(now=NEXT_DIGEST.replace(day=6, hour=20))) == 1


def test_what_was_read_or_matters_no_more_is_not_mailed(cast: Cast) -> None:
    notify(event=happened(key="read"), people=[cast.author], now=NOON)
    mark_read(person=cast.author, now=NOON)
    notify(event=happened(key="over", until=NOON + timedelta(hours=1)), people=[cast.author], now=NOON)
    assert dispatch_due(now=NEXT_DIGEST) == []
    assert Notification.objects.get(key="over").pace == "page"


def test_quiet_hours_postpone_everything(cast: Cast) -> None:
    hours = MailHours(digest_hour=8, quiet_from=7, quiet_to=10)
    choose(paces={}, hours=hours, by=cast.author, now=NOON)
    notify(event=happened(key="a"), people=[cast.author], now=NOON)
    notify(event=happened(key="b", kind="lapses"), people=[cast.author], now=NEXT_DIGEST)
    assert dispatch_due(now=NEXT_DIGEST.replace(hour=9, minute=59)) == []
    assert sorted(row.kind for row in dispatch_due(now=NEXT_DIGEST.replace(hour=10))) == ["", "lapses"]


def test_an_absent_person_gets_mail_after_the_absence(cast: Cast, now: datetime) -> None:
    today = now.date()
    period = Period(today, today + timedelta(days=1))
    state_absence(person=cast.finance, period=period, by=cast.finance, now=now)
    notify(event=happened(kind="lapses"), people=[cast.finance], now=now)
    assert dispatch_due(now=now) == []
    assert len(dispatch_due(now=now + timedelta(days=2))) == 1


def test_a_closed_account_gets_no_mail_that_waits(cast: Cast, mailbox: MailServer) -> None:
    notify(event=happened(kind="lapses"), people=[cast.author, cast.product], now=NOON)
    dispatch_due(now=NOON)
    User.objects.filter(pk=cast.author.pk).update(is_active=False)
    User.objects.filter(pk=cast.product.pk).update(email="")
    assert {row.state for row in deliver_all(NOON)} == {JobState.DONE}
    assert mailbox.messages == []


def test_a_busy_server_is_asked_again_and_no_attempt_is_lost(cast: Cast, mailbox: MailServer) -> None:
    notify(event=happened(kind="lapses"), people=[cast.author], now=NOON)
    dispatch_due(now=NOON)
    mailbox.is_busy = True
    (row,) = deliver_all(NOON)
    assert (row.state, row.max_attempts - row.attempts) == (JobState.QUEUED, 12)
    assert "The mail server does not take the mail" in row.error
    mailbox.is_busy = False
    (row,) = deliver_all(NOON + timedelta(minutes=10))
    assert row.state == JobState.DONE
    assert len(mailbox.messages) == 1


def test_a_refused_address_waits_for_a_person(cast: Cast, mailbox: MailServer) -> None:
    mailbox.refused[cast.author.email] = 550
    notify(event=happened(kind="lapses"), people=[cast.author, cast.product], now=NOON)
    dispatch_due(now=NOON)
    assert sorted(row.state for row in deliver_all(NOON)) == [JobState.DONE, JobState.PAUSED]
    assert [message["To"] for message in mailbox.messages] == [cast.product.email]


def test_an_address_that_is_refused_for_now_is_tried_again(cast: Cast, mailbox: MailServer) -> None:
    mailbox.refused[cast.author.email] = 450
    notify(event=happened(kind="lapses"), people=[cast.author], now=NOON)
    dispatch_due(now=NOON)
    (row,) = deliver_all(NOON)
    assert (row.state, row.max_attempts - row.attempts) == (JobState.QUEUED, 11)
    mailbox.refused.clear()
    (row,) = deliver_all(NOON + timedelta(hours=1))
    assert row.state == JobState.DONE


def test_one_mail_that_is_not_taken_holds_nobody_up(cast: Cast, mailbox: MailServer) -> None:
    notify(event=happened(kind="lapses"), people=[cast.author, cast.product], now=NOON)
    dispatch_due(now=NOON)
    first, second = OutboxMessage.objects.filter(kind="notification.mail").order_by("pk")
    mailbox.is_full = True
    met = outbox.deliver(pk=first.pk, now=NOON)
    assert met is not None
    assert (met.state, "552" in met.error) == (JobState.QUEUED, True)
    mailbox.is_full = False
    sent = outbox.deliver(pk=second.pk, now=NOON)
    assert sent is not None
    assert sent.state == JobState.DONE


def test_nobody_tries_a_server_that_is_away_twice_at_once(cast: Cast, mailbox: MailServer, settings: Settings) -> None:
    settings.EMAIL_PORT = 9
    notify(event=happened(kind="lapses"), people=[cast.author, cast.product], now=NOON)
    dispatch_due(now=NOON)
    (tried,) = deliver_all(NOON)
    assert (tried.state, tried.max_attempts - tried.attempts) == (JobState.QUEUED, 12)
    assert "ConnectionRefusedError" in tried.error


def test_a_meeting_comes_with_a_calendar_file(cast: Cast, mailbox: MailServer) -> None:
    event = happened(kind="quarter", reference="2026Q2", meets_at=NEXT_DIGEST + timedelta(days=3))
    notify(event=event, people=[cast.author], now=NOON)
    dispatch_due(now=NEXT_DIGEST)
    deliver_all(NEXT_DIGEST)
    (part,) = mailbox.messages[0].iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("2026Q2.ics", "text/calendar")
    assert "DTSTART:20260508T080000Z" in part.get_content()


def calendar_lines(message: EmailMessage) -> dict[str, str]:
    (part,) = message.iter_attachments()
    lines = part.get_content().replace("\r\n ", "").splitlines()
    return dict(line.split(":", 1) for line in lines)


def test_a_meeting_that_moves_replaces_its_calendar_file(cast: Cast, mailbox: MailServer) -> None:
    for days in (0, 1):
        at = NEXT_DIGEST + timedelta(days=days)
        event = happened(kind="quarter", key=str(days), reference="2026Q2", meets_at=at + timedelta(days=9))
        notify(event=event, people=[cast.author], now=at - timedelta(hours=1))
        dispatch_due(now=at)
        deliver_all(at)
    first, second = map(calendar_lines, mailbox.messages)
    assert first["UID"] == second["UID"] == "quarter-2026Q2@weighbridge.test"
    assert int(second["SEQUENCE"]) - int(first["SEQUENCE"]) == timedelta(days=1).total_seconds()
    assert (first["DTSTART"], second["DTSTART"]) == ("20260514T080000Z", "20260515T080000Z")


def test_a_digest_has_the_last_time_of_a_meeting_alone(cast: Cast, mailbox: MailServer) -> None:
    for minute, days in enumerate((3, 5, 4)):
        meets_at = NEXT_DIGEST + timedelta(days=days)
        event = happened(kind="quarter", key=str(days), reference="2026Q2", meets_at=meets_at)
        notify(event=event, people=[cast.author], now=NOON + timedelta(minutes=minute))
    dispatch_due(now=NEXT_DIGEST)
    deliver_all(NEXT_DIGEST)
    assert calendar_lines(mailbox.messages[0])["DTSTART"] == "20260509T080000Z"


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_make_each_mail_once(cast: Cast) -> None:
    for n in range(20):
        kind = "lapses" if n % 2 else "decided"
        notify(event=happened(key=str(n), kind=kind), people=[cast.author, cast.product], now=NOON)
    found = together([lambda: dispatch_due(now=NEXT_DIGEST)] * 4)
    assert not any(isinstance(one, Exception) for one in found)
    dispatch_due(now=NEXT_DIGEST)
    assert Dispatch.objects.count() == OutboxMessage.objects.filter(kind="notification.mail").count() == 4
    assert Notification.objects.filter(dispatch=None).count() == 0


@terms(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(gaps=st.lists(st.integers(0, 900), min_size=1, max_size=12), every=st.integers(30, 700))
def test_nothing_is_lost_and_mails_of_a_kind_are_apart(cast: Cast, gaps: list[int], every: int) -> None:
    """Events at any time and a tick now and then: each event is in one mail, and mails keep their distance."""
    Notification.objects.all().delete()
    Dispatch.objects.all().delete()
    events, at = [], NOON
    for gap in gaps:
        at += timedelta(seconds=gap)
        events.append(at)
    now, last = NOON, at + 3 * WINDOW
    while now <= last:
        for n, moment in enumerate(events):
            if now - timedelta(seconds=every) < moment <= now:
                notify(event=happened(kind="lapses", key=str(n)), people=[cast.author], now=moment)
        dispatch_due(now=now)
        now += timedelta(seconds=every)
    made = list(Dispatch.objects.order_by("made_at").values_list("made_at", flat=True))
    assert all(later - earlier >= WINDOW for earlier, later in pairwise(made))
    assert Notification.objects.filter(dispatch=None).count() == 0
    assert Notification.objects.count() == len(events)
