"""The agenda and the meeting led by a program: exact effects, everybody else refused, each step in the trail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset
from reviews.quarterly.models import AgendaItem, ReviewCycle
from tests.factories import requests as walks
from tests.factories.cycles import make_collecting, make_cycle, make_held, make_item
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
LEADS = ("approver", "product")
READERS = ("reviewer_one", "reviewer_two", "finance", "admin", "auditor")
STRANGERS = ("author", "outsider")
WORDS = {"title": "The bidder", "reason": "It is dear."}


@pytest.fixture
def asset(cast: Cast, now: datetime) -> ModelAsset:
    return make_version(by=cast.author, now=now).asset


def send(client: APIClient, path: str, **given: Any) -> tuple[int, Any]:
    answer = client.post(path, given, format="json")
    return answer.status_code, answer.json()


def order(answer: Any) -> list[tuple[int, str]]:
    return [(item["position"], item["title"]) for item in answer["items"]]


def told(kind: str) -> dict[str, Any]:
    event = AuditEvent.objects.get(kind=f"cycle.{kind}")
    return {"by": event.actor, "of": event.subject, **event.details, "reason": event.reason}


def test_items_are_added_moved_and_taken_off(cast: Cast, asset: ModelAsset, api: Api, now: datetime) -> None:
    cycle, lead = make_cycle(now=now), api(cast.product)
    base, name = f"/api/v1/cycles/{cycle.quarter}/agenda/", f"search/{asset.slug}"
    status, answer = send(lead, base, title="The ranker", reason="It is slow.", model=name)
    assert (status, order(answer)) == (201, [(1, "The ranker")])
    status, answer = send(lead, base, **WORDS)
    assert (status, order(answer)) == (201, [(1, "The ranker"), (2, "The bidder")])
    first, second = answer["items"]
    assert (first["model"], first["kind"], second["model"], second["page"]) == (name, "added", "", "")
    status, answer = send(lead, f"{base}{second['id']}/move/", position=1)
    assert (status, order(answer)) == (200, [(1, "The bidder"), (2, "The ranker")])
    status, answer = send(lead, f"{base}{first['id']}/remove/", reason="Not this quarter.")
    assert (status, order(answer)) == (200, [(1, "The bidder")])
    assert [(each["title"], each["removal"]) for each in answer["removed"]] == [("The ranker", "Not this quarter.")]
    assert told("item_moved") == {
        "by": "Product",
        "of": cycle.quarter,
        "item": "The bidder",
        "position": 1,
        "reason": "",
    }
    assert told("item_removed") == {
        "by": "Product",
        "of": cycle.quarter,
        "item": "The ranker",
        "kind": "added",
        "reason": "Not this quarter.",
    }
    assert [event.details["item"] for event in AuditEvent.objects.filter(kind="cycle.item_added").order_by("pk")] == [
        "The ranker",
        "The bidder",
    ]


def test_a_request_brings_its_model(cast: Cast, policy: object, api: Api, now: datetime) -> None:
    cycle = make_cycle(now=now)
    request = walks.make_draft(by=cast.author, now=now, version=make_version(by=cast.author, now=now))
    base = f"/api/v1/cycles/{cycle.quarter}/agenda/"
    status, answer = send(api(cast.approver), base, **WORDS, request=request.ref)
    item = answer["items"][0]
    assert (status, item["request"], item["page"]) == (201, request.ref, f"/requests/{request.ref}/")
    assert item["model"] == f"search/{request.model_version.asset.slug}"


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"title": "The bidder"}, 400, "reason"),
        ({**WORDS, "title": "a"}, 400, "title"),
        ({**WORDS, "reason": "x"}, 400, "reason"),
        ({**WORDS, "model": "ads/nothing"}, 400, "model"),
        ({**WORDS, "request": "MRR-404"}, 404, None),
        ({**WORDS, "model": "search/x", "request": "MRR-1"}, 400, "request"),
        ({**WORDS, "note": "?"}, 400, "note"),
    ],
)
def test_what_is_wrong_with_an_item_is_said_and_adds_nothing(
    cast: Cast, api: Api, now: datetime, given: dict[str, str], status: int, field: str | None
) -> None:
    cycle = make_cycle(now=now)
    before = snapshot()
    got, answer = send(api(cast.approver), f"/api/v1/cycles/{cycle.quarter}/agenda/", **given)
    assert (got, [each["field"] for each in answer.get("errors", [])]) == (status, [field] if field else [])
    assert snapshot() == before


def test_places_and_removals_that_are_not_there(cast: Cast, api: Api, now: datetime) -> None:
    cycle = make_cycle(now=now)
    item, lead = make_item(cycle=cycle, by=cast.approver, now=now), api(cast.approver)
    base = f"/api/v1/cycles/{cycle.quarter}/agenda"
    before = snapshot()
    status, answer = send(lead, f"{base}/{item.pk}/move/", position=2)
    assert (status, answer["errors"][0]["detail"]) == (400, "The position must be a number from 1 to 1.")
    assert send(lead, f"{base}/{item.pk}/move/", position=0)[0] == 400
    assert send(lead, f"{base}/{item.pk}/remove/", reason="no")[0] == 400
    assert send(lead, f"{base}/999999/remove/", reason="Not now.")[0] == 404
    assert send(lead, f"/api/v1/cycles/2001Q1/agenda/{item.pk}/remove/", reason="Not now.")[0] == 404
    assert snapshot() == before
    assert send(lead, f"{base}/{item.pk}/remove/", reason="Not now.")[0] == 200
    status, answer = send(lead, f"{base}/{item.pk}/remove/", reason="Not now.")
    assert (status, answer["code"]) == (409, "already")
    status, answer = send(lead, f"{base}/{item.pk}/put-back/")
    assert (status, [each["title"] for each in answer["items"]], answer["removed"]) == (200, [item.title], [])
    assert told("item_put_back")["item"] == item.title
    status, answer = send(lead, f"{base}/{item.pk}/put-back/")
    assert (status, answer["code"]) == (409, "already")


def test_the_agenda_is_gathered_and_the_cut_off_moved(cast: Cast, asset: ModelAsset, api: Api, now: datetime) -> None:
    cycle, lead = make_collecting(now=now), api(cast.approver)
    base, later = f"/api/v1/cycles/{cycle.quarter}/", cycle.cut_off_at + timedelta(days=3)
    ModelAsset.objects.filter(pk=asset.pk).update(owner=cast.outsider)
    status, answer = send(lead, f"{base}refresh/")
    assert (status, [item["kind"] for item in answer["items"]]) == (200, ["no_owner"])
    status, answer = send(lead, f"{base}cut-off/", cut_off_at=later.isoformat(), reason="Bills are late.")
    cycle.refresh_from_db()
    assert (status, cycle.cut_off_at, told("cut_off_moved")["reason"]) == (200, later, "Bills are late.")
    before = snapshot()
    status, answer = send(lead, f"{base}cut-off/", cut_off_at="2001-01-01T00:00:00Z", reason="Bills are late.")
    assert (status, answer["errors"][0]["field"]) == (400, "cut_off_at")
    assert snapshot() == before


def test_the_chair_changes_hands_notes_are_kept_and_somebody_leaves(cast: Cast, api: Api, now: datetime) -> None:
    cycle, product = make_held(cast=cast, now=now), api(cast.product)
    base = f"/api/v1/cycles/{cycle.quarter}/"
    status, answer = send(product, f"{base}chair/")
    assert (status, answer["chair"]) == (200, "Product")
    assert {key: told("chair_taken")[key] for key in ("by", "before", "after")} == {
        "by": "Product",
        "before": "approver",
        "after": "product",
    }
    assert send(product, f"{base}chair/")[0] == 409
    status, answer = send(product, f"{base}notes/", notes="Short and good.")
    assert (status, answer["notes"], told("notes_written")["characters"]) == (200, "Short and good.", 15)
    status, answer = send(product, f"{base}attendance/leave/", person="approver")
    assert (status, [each["username"] for each in answer["attendees"]]) == (200, ["product"])
    assert (answer["missing"], told("left")["person"]) == (["an engineering lead"], "approver")
    before = snapshot()
    assert send(product, f"{base}attendance/leave/", person="approver")[0] == 404
    assert send(product, f"{base}notes/", notes="x" * 20_001)[0] == 400
    assert snapshot() == before


STEPS: dict[str, dict[str, Any]] = {
    "agenda/": WORDS,
    "agenda/{item}/move/": {"position": 1},
    "agenda/{item}/remove/": {"reason": "Not this quarter."},
    "agenda/{item}/put-back/": {},
    "refresh/": {},
    "cut-off/": {"cut_off_at": "2001-01-01T00:00:00Z", "reason": "Bills are late."},
    "chair/": {},
    "notes/": {"notes": "Short."},
    "attendance/leave/": {"person": "product"},
}
# What the step answers to a lead while the meeting is open: the agenda can still be edited, the cut-off has passed.
WHILE_HELD = {
    "agenda/": 201,
    "agenda/{item}/move/": 200,
    "agenda/{item}/remove/": 200,
    "agenda/{item}/put-back/": 409,
    "refresh/": 409,
    "cut-off/": 409,
    "chair/": 409,
    "notes/": 200,
    "attendance/leave/": 200,
}


@pytest.mark.parametrize("step", STEPS)
def test_who_may_take_each_step(cast: Cast, api: Api, now: datetime, step: str) -> None:
    """The whole table: leads do it, every other role is refused, requesters do not find it, a stranger must log in."""
    cycle = make_held(cast=cast, now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now)
    path = f"/api/v1/cycles/{cycle.quarter}/{step.format(item=item.pk)}"
    before, found = snapshot(), {}
    for name in (*READERS, *STRANGERS):
        found[name] = send(api(getattr(cast, name)), path, **STEPS[step])[0]
    stranger = api(None).post(path, STEPS[step], format="json").status_code
    assert found == dict.fromkeys(READERS, 403) | dict.fromkeys(STRANGERS, 404)
    assert (stranger, snapshot() == before) == (401, True)
    assert send(api(cast.approver), path, **STEPS[step])[0] == WHILE_HELD[step]
    assert (snapshot() == before) == (WHILE_HELD[step] == 409)


@pytest.mark.parametrize("step", STEPS)
def test_nothing_of_a_closed_cycle_changes(cast: Cast, api: Api, now: datetime, step: str) -> None:
    cycle = make_held(cast=cast, now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now)
    lead, base = api(cast.approver), f"/api/v1/cycles/{cycle.quarter}/"
    assert send(lead, f"{base}close/")[0] == 200
    before = snapshot()
    assert send(lead, base + step.format(item=item.pk), **STEPS[step])[0] == 409
    assert snapshot() == before
    assert (ReviewCycle.objects.get().state, AgendaItem.objects.get().removed_at) == ("closed", None)
