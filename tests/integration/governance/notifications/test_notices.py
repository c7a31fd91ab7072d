"""Who is told of an event, how fast, and never twice."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from governance.absences.actions.absences import state_absence
from governance.absences.domain import Period
from governance.notifications.domain.events import Addressee
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import Notification, NotificationChoice
from governance.notifications.outbox.notices import notify
from tests.factories.people import Cast
from tests.integration.governance.notifications.conftest import happened

As = Callable[[User], Client]


def told() -> list[tuple[str | None, str]]:
    rows = Notification.objects.order_by("person__username", "pk").select_related("person")
    return [(row.person.username if row.person else None, row.pace) for row in rows]


def test_each_person_is_told_once_and_nobody_of_their_own_step(cast: Cast, now: datetime) -> None:
    people = [cast.author, cast.approver, cast.author]
    for _ in range(2):
        notify(event=happened(), people=people, by=cast.approver, now=now)
    assert told() == [("author", "digest")]
    notify(event=happened(key="b"), people=people, now=now)
    assert told() == [("approver", "digest"), ("author", "digest"), ("author", "digest")]


def test_a_closed_account_is_not_told_and_one_without_an_address_on_the_page(cast: Cast, now: datetime) -> None:
    User.objects.filter(pk=cast.author.pk).update(is_active=False)
    User.objects.filter(pk=cast.product.pk).update(email="")
    notify(event=happened(kind="lapses"), people=[cast.author, cast.product, cast.finance], now=now)
    assert told() == [("finance", "at_once"), ("product", "page")]


def test_without_a_mail_server_the_page_tells(cast: Cast, now: datetime, settings: Settings) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"HAS_MAIL": False}
    notify(event=happened(kind="lapses"), people=[cast.author], now=now)
    assert told() == [("author", "page")]


@pytest.mark.parametrize("pace", NoticePace)
def test_the_chosen_pace_counts(cast: Cast, now: datetime, pace: NoticePace) -> None:
    NotificationChoice.objects.create(person=cast.author, kind="decided", pace=pace)
    notify(event=happened(), people=[cast.author, cast.product], now=now)
    assert told() == [*([] if pace is NoticePace.NONE else [("author", pace.value)]), ("product", "digest")]


def test_the_deputy_of_an_absent_person_is_told_too(cast: Cast, now: datetime) -> None:
    one, two = cast.reviewer_one, cast.reviewer_two
    today = now.date()
    state_absence(person=one, period=Period(today, today + timedelta(days=3)), deputy=two, by=one, now=now)
    notify(event=happened(), people=[one], now=now)
    rows = Notification.objects.order_by("person__username")
    assert [(row.person_id, row.in_place_of_id) for row in rows] == [(one.pk, None), (two.pk, one.pk)]
    notify(event=happened(kind="failed", key="b"), people=[one], now=now)
    assert Notification.objects.filter(key="b").count() == 1
    notify(event=happened(key="c"), people=[one, two], now=now)
    assert set(Notification.objects.filter(key="c").values_list("in_place_of", flat=True)) == {None}


def test_a_named_deputy_keeps_the_name_of_the_absent_person(cast: Cast, now: datetime) -> None:
    notify(event=happened(kind="lapses"), people=[Addressee(cast.author.pk, cast.product.pk)], now=now)
    assert Notification.objects.get().in_place_of == cast.product


def test_an_event_that_is_rolled_back_tells_nobody(cast: Cast, now: datetime) -> None:
    with transaction.atomic():
        notify(event=happened(), people=[cast.author], now=now)
        transaction.set_rollback(True)
    assert told() == []


@pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test", "/\\evil.test", "requests/", ""])
def test_the_database_refuses_a_path_to_another_site(cast: Cast, now: datetime, path: str) -> None:
    with pytest.raises(IntegrityError, match="path_is_of_this_site"), transaction.atomic():
        notify(event=happened(path=path), people=[cast.author], now=now)
    assert told() == []


def test_long_texts_are_cut(cast: Cast, now: datetime) -> None:
    notify(event=happened(reference="r" * 500, sentence="s" * 5_000), people=[cast.author], now=now)
    row = Notification.objects.get()
    assert (len(row.reference), len(row.sentence)) == (200, 1_000)


def test_the_page_lists_marks_and_opens(cast: Cast, now: datetime, as_: As) -> None:
    client = as_(cast.author)
    assert "No notifications" in client.get("/notifications/").content.decode()
    for key in "abc":
        notify(event=happened(key=key), people=[cast.author, cast.product], now=now)
    text = client.get("/notifications/").content.decode()
    assert 'aria-label="Notifications, 3 unread"' in text
    assert text.count('href="/somewhere/"') == 3
    others = Notification.objects.filter(person=cast.product)
    assert client.post("/notifications/read/", {"id": others[0].pk}).status_code == 302
    assert others.filter(read_at=None).count() == 3
    own = Notification.objects.filter(person=cast.author).order_by("pk")
    assert client.post("/notifications/read/", {"id": own[0].pk}).status_code == 302
    assert list(own.filter(read_at=None).values_list("key", flat=True)) == ["b", "c"]
    assert client.get("/notifications/?unread=1").content.decode().count("MRR-2026-0001</a>") == 2
    assert client.post("/notifications/read/", {"id": "x"}).status_code == 302
    assert own.filter(read_at=None).count() == 2
    client.post("/notifications/read/")
    assert own.filter(read_at=None).count() == 0
    assert "Nothing is unread" in client.get("/notifications/?unread=1").content.decode()
    assert others.filter(read_at=None).count() == 3


def test_the_page_is_paged_and_the_bell_counts_to_a_hundred(cast: Cast, now: datetime, as_: As) -> None:
    for n in range(120):
        notify(event=happened(key=str(n)), people=[cast.author], now=now)
    text = as_(cast.author).get("/notifications/?page=3").content.decode()
    assert "Page 3 of 3" in text
    assert "99+" in text
    assert "more than 99 unread" in text
