"""Effects are fair between people and kinds, and none waits for ever: turns are given to both ends in turn."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from benchmarking.runs.models import Run
from governance.audit.domain import correlation as trace
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from tests.factories import requests as walks

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The keys of what was delivered, in order."""
    keys: list[str] = []
    monkeypatch.setattr(outbox, "ORDERS", cycle((outbox._fair, outbox._oldest)))
    for kind in ("a", "b"):
        monkeypatch.setitem(outbox.HANDLERS, kind, lambda message: keys.append(message.key))
    return keys


def ask(key: str, *, by: str, kind: str = "a", lane: str = "") -> None:
    with trace.correlated(user_id=by):
        outbox.enqueue(kind=kind, key=key, lane=lane or key, payload={}, now=NOW)


def deliver(count: int) -> None:
    for second in range(count):
        outbox.deliver_next(now=NOW + second * SECOND)


def test_who_files_three_hundred_delays_nobody_else(db: None, delivered: list[str]) -> None:
    for number in range(300):
        ask(f"many {number}", by="1")
    ask("one", by="2")
    deliver(4)
    assert delivered == ["many 0", "many 1", "one", "many 2"]
    ask("two", by="2")
    ask("of the installation", by="")
    deliver(4)
    assert delivered[4:] == ["of the installation", "many 3", "two", "many 4"]


def test_who_causes_many_waits_no_longer_than_twice_as_in_order(db: None, delivered: list[str]) -> None:
    """The messages of the installation are one group beside those of a hundred people."""
    for number in range(9):
        ask(f"own {number}", by="")
    for person in range(100):
        ask(f"of {person}", by=str(person))
    deliver(18)
    assert {key for key in delivered if key.startswith("own")} == {f"own {number}" for number in range(9)}


def test_kinds_take_turns_too(db: None, delivered: list[str]) -> None:
    for number in range(3):
        ask(f"a{number}", by="1", kind="a")
    ask("b0", by="1", kind="b")
    deliver(6)
    assert delivered == ["a0", "a1", "b0", "a2"]


def test_a_lane_stays_in_order(db: None, delivered: list[str]) -> None:
    ask("first", by="1", lane="same")
    ask("second", by="2", lane="same")
    ask("third", by="1", lane="same")
    deliver(3)
    assert delivered == ["first", "second", "third"]


def test_a_message_that_waits_gives_its_turn_away(
    db: None, delivered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(message: OutboxMessage) -> None:
        raise outbox.TryLater("not now", wait_s=600)

    monkeypatch.setitem(outbox.HANDLERS, "b", later)
    ask("waits", by="1", kind="b")
    for number in range(3):
        ask(f"a{number}", by="2")
    deliver(5)
    assert delivered == ["a0", "a1", "a2"]
    assert OutboxMessage.objects.get(key="waits").attempts == 1


def test_who_lost_the_race_takes_the_next(db: None, delivered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ask("taken", by="1")
    ask("free", by="2")
    turns = OutboxMessage.turns(now=NOW, limit=9, kinds=outbox.HANDLERS)
    OutboxMessage.objects.filter(key="taken").update(state=JobState.CLAIMED, lease_until=NOW + 60 * SECOND)
    monkeypatch.setattr(OutboxMessage, "turns", lambda **_: turns)
    assert outbox.deliver_next(now=NOW) is not None
    assert outbox.deliver_next(now=NOW) is None
    assert delivered == ["free"]


def test_an_effect_of_an_effect_is_of_the_same_person(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        outbox.HANDLERS, "a", lambda _: outbox.enqueue(kind="b", key="b", lane="b", payload={}, now=NOW)
    )
    ask("a", by="7")
    outbox.deliver_next(now=NOW)
    assert OutboxMessage.objects.get(key="b").asked_by == "7"


def test_the_person_behind_a_token_is_known(policy: object, author: User, now: datetime) -> None:
    """A ticket that a program caused is an effect of its person, as one of a page is."""
    draft = walks.make_draft(by=author, now=now)
    token = people.create_token(user=author, valid_days=1, by=None, now=now)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.post(f"/api/v1/requests/{draft.ref}/submit/").status_code == 200
    caused = OutboxMessage.objects.exclude(kind="account.tell").values_list("asked_by", flat=True)
    assert set(caused) == {str(author.pk)}
    assert trace.user_id() == ""
    assert Run.objects.get().started_by == author


def test_packets_have_a_queue_of_their_own() -> None:
    routes = settings.CELERY_TASK_ROUTES
    assert {name for name, route in routes.items() if route["queue"] == "packets"} == {
        "reviews.packets.tasks.render_packet",
        "reviews.quarterly.tasks.render_cycle_packet",
    }


def test_a_kind_that_only_another_version_knows_is_left_to_it(
    db: None, delivered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(outbox.TURNS_MAX):
        ask(f"new {number}", by=str(number), kind="new")
    ask("a", by="1")
    deliver(3)
    assert delivered == ["a"]
    assert set(OutboxMessage.objects.filter(kind="new").values_list("state", "attempts", "error")) == {
        ("queued", 0, "")
    }
    monkeypatch.setitem(outbox.HANDLERS, "new", lambda message: delivered.append(message.key))
    deliver(3)
    assert delivered == ["a", "new 0", "new 1", "new 2"]
