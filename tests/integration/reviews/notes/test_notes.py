"""Looks and marks on the page and over the API, and what changed since."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.notes.models import LastLook, ViewedPart
from reviews.notes.queries.looks import since_last_look
from reviews.notes.queries.viewed import part_views
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, evidence, requests
from tests.factories import requests as walks
from tests.factories.discussions import make_comment
from tests.factories.people import Cast
from tests.integration.reviews.evidence.test_inherited import INHERITANCE, publish, submitted
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.integration.reviews.workflow.test_studies import asked, attach
from tests.integration.reviews.workflow.worlds import World

__all__ = ["asked"]
pytestmark = pytest.mark.django_db


def look(request: ReviewRequest, user: User, *, is_read: bool = True) -> None:
    position = AuditEvent.objects.filter(subject=request.ref).order_by("-position").first().position
    given = {"position": position} | ({"is_read": "on"} if is_read else {})
    assert enter(user).post(f"{page_of(request)}looks/", given).status_code == 302


def told(request: ReviewRequest, user: User, world: World) -> list[tuple[str, str]]:
    request.refresh_from_db()
    found = since_last_look(snapshot_of(request, now=world.now), person=person_of(user)).changes
    return [(change.what.value, change.sentence) for change in found]


def test_whoever_never_looked_is_told_nothing(world: World) -> None:
    request = world.in_review()
    assert told(request, world.cast.reviewer_one, world) == []
    since = since_last_look(snapshot_of(request, now=world.now), person=person_of(world.cast.reviewer_one))
    assert (since.looked_at, since.revision, since.changes) == (None, None, ())


def test_what_others_did_since_is_told_in_order(world: World) -> None:
    request, one, two = world.in_review(), world.cast.reviewer_one, world.cast.reviewer_two
    look(request, one)
    assert told(request, one, world) == []
    world.vote(request, two)
    comment = make_comment(request, "Peak?", by=world.cast.author, now=world.now, about="metric:latency_p95_ms")
    make_comment(request, "Mine.", by=one, now=world.now)
    requests.revise(request=request, reason="New weights.", by=world.cast.author, now=world.now)
    walks.state_metric_value(
        request=request, name="training_gpu_hours", value="330", by=world.cast.author, now=world.now
    )
    evidence.answer_item(
        request=request,
        item_id="owner-and-rollback",
        text="Another team answers for it now, by night too.",
        by=world.cast.author,
        now=world.now,
    )
    assert told(request, one, world) == [
        ("votes", "Reviewer Two voted to approve."),
        ("discussion", "Author commented on Latency p95."),
        ("state", "Author moved the request from “in review” to “evidence”."),
        ("state", "Author opened the next revision."),
        ("metric_values", "Author stated Training GPU hours: 330 GPU h (declared)."),
        ("checklist", "Author answered “Owner and rollback”."),
    ]
    page = enter(one).get(page_of(request))
    assert f'href="/comments/{comment.pk}/"' in page.content.decode()
    assert "Since your last look" in words(page)
    assert "You looked at revision 1" in words(page)
    look(request, one)
    assert told(request, one, world) == []
    assert "Since your last look" not in words(enter(one).get(page_of(request)))


def test_opening_the_page_changes_nothing(in_review: ReviewRequest, cast: Cast) -> None:
    enter(cast.reviewer_one).get(page_of(in_review))
    assert not LastLook.objects.exists()


def test_a_look_of_the_page_keeps_the_changes_for_the_visit(world: World) -> None:
    request, one = world.in_review(), world.cast.reviewer_one
    look(request, one)
    world.vote(request, world.cast.reviewer_two, choice=VoteChoice.APPROVE)
    look(request, one, is_read=False)
    assert told(request, one, world) == [("votes", "Reviewer Two voted to approve.")]
    LastLook.objects.update(looked_at=world.now - timedelta(minutes=31))
    assert told(request, one, world) == []


def test_the_page_notes_the_look_by_itself(in_review: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    html = client.get(page_of(in_review)).content.decode()
    assert 'hx-trigger="load delay:1s"' in html
    answer = client.post(f"{page_of(in_review)}looks/", {"position": 3}, headers={"HX-Request": "true"})
    row = LastLook.objects.get()
    assert (answer.status_code, row.position, row.revision, row.person) == (204, 3, 1, cast.reviewer_one)
    assert client.post(f"{page_of(in_review)}looks/", {"position": "x"}).status_code == 400
    assert client.post(f"{page_of(in_review)}looks/", {"position": 2**63}).status_code == 400
    assert enter(cast.outsider).post(f"{page_of(in_review)}looks/", {"position": 9}).status_code == 404
    assert LastLook.objects.count() == 1


def marks(request: ReviewRequest, user: User, world: World) -> dict[str, tuple[bool, bool]]:
    request.refresh_from_db()
    found = part_views(snapshot_of(request, now=world.now), person=person_of(user))
    return {view.part: (view.is_viewed, view.is_expired) for view in found}


def view(request: ReviewRequest, user: User, *parts: str) -> None:
    """Mark the parts as viewed, with the fields of the form that the page shows."""
    client = enter(user)
    shown = {part.part: part.digest for part in client.get(page_of(request)).context["parts"]}
    for part in parts:
        given = {"part": part, "is_viewed": "on", "digest": shown[part]}
        assert client.post(f"{page_of(request)}viewed/", given).url == f"{page_of(request)}#viewed"


def test_what_changed_since_the_page_was_opened_is_not_marked(world: World, api: Callable[[User], APIClient]) -> None:
    request, one = world.in_review(), world.cast.reviewer_one
    client, path = enter(one), f"/api/v1/requests/{request.ref}/viewed/"
    shown = {part.part: part.digest for part in client.get(page_of(request)).context["parts"]}
    assert f'name="digest"\n                value="{shown["costs"]}"' in client.get(page_of(request)).content.decode()
    requests.revise(request=request, reason="New weights.", by=world.cast.author, now=world.now)
    walks.state_metric_value(
        request=request, name="training_gpu_hours", value="330", by=world.cast.author, now=world.now
    )
    late = {"part": "metric_values", "is_viewed": "on", "digest": shown["metric_values"]}
    answer = client.post(f"{page_of(request)}viewed/", late, follow=True)
    assert "This part has changed since you opened it. Read it again, then mark it." in words(answer)
    over_api = api(one).post(path, late | {"is_viewed": True}, format="json")
    assert (over_api.status_code, over_api.json()["code"]) == (409, "part_changed")
    for given in ({"part": "policy", "is_viewed": True}, {"part": "policy", "is_viewed": True, "digest": ""}):
        assert api(one).post(path, given, format="json").status_code == 400
    assert client.post(f"{page_of(request)}viewed/", {"part": "policy", "is_viewed": "on"}).status_code == 400
    assert not ViewedPart.objects.exists()


def test_the_mark_of_the_values_expires_with_a_value_of_another_request(world: World) -> None:
    """A less favorable value on record counts instead of the claim, and contradicts it."""
    request, one = world.in_review(), world.cast.reviewer_one
    view(request, one, "metric_values", "costs")
    walks.make_submitted(
        by=world.cast.author,
        now=world.now,
        version=request.model_version,
        with_data=False,
        purpose="Another purpose",
        declared={**walks.DECLARED, "training_gpu_hours": "900"},
    )
    assert [one.value for one in snapshot_of(request, now=world.now).evidence.binding_values] == [900]
    assert marks(request, one, world)["metric_values"] == (False, True)


def test_the_mark_of_the_costs_expires_with_the_budget(world: World) -> None:
    request, one = world.in_review(), world.cast.reviewer_one
    view(request, one, "metric_values", "costs")
    budgets.allocate(
        holder=request.team,
        quarter=str(Quarter.of(world.now.date())),
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="more",
        by=world.cast.finance,
        now=world.now,
    )
    assert marks(request, one, world)["costs"] == (False, True)
    assert marks(request, one, world)["metric_values"] == (True, False)


def test_a_mark_expires_when_its_part_changes(world: World) -> None:
    request, one = world.in_review(), world.cast.reviewer_one
    client = enter(one)
    parts = ("metric_values", "costs", "policy", "checklist", "benchmarks", "alternatives", "packet")
    view(request, one, *parts)
    assert marks(request, one, world) == dict.fromkeys(parts, (True, False))
    assert set(marks(request, world.cast.reviewer_two, world).values()) == {(False, False)}
    world.vote(request, world.cast.reviewer_two)
    make_comment(request, by=world.cast.author, now=world.now)
    assert marks(request, one, world) == dict.fromkeys(parts, (True, False))
    requests.revise(request=request, reason="New weights.", by=world.cast.author, now=world.now)
    evidence.answer_item(
        request=request,
        item_id="owner-and-rollback",
        text="Another team answers for it now, by night too.",
        by=world.cast.author,
        now=world.now,
    )
    expired = {"checklist": (False, True)}
    assert marks(request, one, world) == dict.fromkeys(parts, (True, False)) | expired
    walks.state_metric_value(
        request=request, name="training_gpu_hours", value="330", by=world.cast.author, now=world.now
    )
    expired |= dict.fromkeys(("metric_values", "costs", "policy"), (False, True))
    assert marks(request, one, world) == dict.fromkeys(parts, (True, False)) | expired
    assert "changed since you viewed it" in words(client.get(page_of(request)))
    client.post(f"{page_of(request)}viewed/", {"part": "costs"})
    assert marks(request, one, world)["costs"] == (False, False)


def test_the_mark_of_a_checklist_expires_with_a_study_and_not_with_time(asked: ReviewRequest, world: World) -> None:
    one = world.cast.reviewer_one
    view(asked, one, "checklist")
    for hours in (0, 7, 23):
        later = snapshot_of(asked, now=world.now + timedelta(hours=hours))
        (mark,) = [each for each in part_views(later, person=person_of(one)) if each.part == "checklist"]
        assert mark.is_viewed
    attach(asked, "experiment", world.now)
    assert marks(asked, one, world)["checklist"] == (False, True)
    view(asked, one, "checklist")
    attach(asked, "experiment", world.now, note="another file")
    assert marks(asked, one, world)["checklist"] == (False, True)


def test_the_mark_of_a_checklist_expires_with_what_it_inherited(decided: ReviewRequest, world: World) -> None:
    cast, one = world.cast, world.cast.reviewer_one
    publish(world.now, **INHERITANCE)
    child = submitted(cast, world.now, decided)
    view(child, one, "checklist")
    assert marks(child, one, world)["checklist"] == (True, False)
    authorizations.revoke(
        authorization=Authorization.objects.get(), reason="It fails.", by=cast.approver, now=world.now
    )
    assert marks(child, one, world)["checklist"] == (False, True)


def test_the_mark_of_a_checklist_expires_when_an_item_is_no_longer_complete(world: World) -> None:
    request, one = world.in_review(), world.cast.reviewer_one
    view(request, one, "checklist")
    late = world.now + timedelta(days=3_650)
    stale = snapshot_of(request, now=late).evidence.checklist
    assert not all(status.is_complete for status in stale if status.item.metrics)
    (mark,) = [
        each for each in part_views(snapshot_of(request, now=late), person=person_of(one)) if each.part == "checklist"
    ]
    assert mark.is_expired


def test_an_unknown_part_is_refused(in_review: ReviewRequest, cast: Cast) -> None:
    answer = enter(cast.reviewer_one).post(f"{page_of(in_review)}viewed/", {"part": "votes", "is_viewed": "on"})
    assert (answer.status_code, ViewedPart.objects.count()) == (400, 0)
    assert enter(cast.outsider).post(f"{page_of(in_review)}viewed/", {"part": "costs"}).status_code == 404


def test_a_draft_has_no_parts_to_view(draft: ReviewRequest, author: User, api: Callable[[User], APIClient]) -> None:
    page = enter(author).get(page_of(draft))
    assert page.context["parts"] == ()
    path = f"/api/v1/requests/{draft.ref}/viewed/"
    digests = {part["part"]: part["digest"] for part in api(author).get(path).json()}
    given = {"part": "policy", "is_viewed": "on", "digest": digests["policy"]}
    assert enter(author).post(f"{page_of(draft)}viewed/", given).status_code == 302


def test_the_api_of_looks_and_marks(
    in_review: ReviewRequest, cast: Cast, api: Callable[[User], APIClient], world: World
) -> None:
    path, client = f"/api/v1/requests/{in_review.ref}/", api(cast.reviewer_one)
    first = client.get(f"{path}looks/").data
    assert (first["looked_at"], first["changes"]) == (None, [])
    noted = client.post(f"{path}looks/", {"position": first["position"], "is_read": True}, format="json")
    assert (noted.status_code, noted.data["revision"]) == (200, 1)
    make_comment(in_review, by=cast.author, now=world.now)
    assert [each["sentence"] for each in client.get(f"{path}looks/").data["changes"]] == ["Author commented."]
    digest = {part["part"]: part["digest"] for part in client.get(f"{path}viewed/").data}["costs"]
    marked = client.post(f"{path}viewed/", {"part": "costs", "digest": digest}, format="json")
    assert (marked.status_code, [each["part"] for each in marked.data if each["is_viewed"]]) == (200, ["costs"])
    unmarked = client.post(f"{path}viewed/", {"part": "costs", "is_viewed": False}, format="json")
    assert not any(each["is_viewed"] for each in unmarked.data)
    assert client.get(f"{path}viewed/").data == unmarked.data
    assert client.post(f"{path}viewed/", {"part": "votes"}, format="json").status_code == 400
    assert client.post(f"{path}looks/", {"position": -1}, format="json").status_code == 400
    assert api(cast.outsider).get(f"{path}looks/").status_code == 404
    assert api(cast.outsider).post(f"{path}viewed/", {"part": "costs"}, format="json").status_code == 404
