"""Promise 6: the documented table of who may do what, and when, holds at every door: on the pages, over the API, in the
admin.

`docs/reference/who-may-what.md` is the table. `tests/integration/reviews/evidence/test_permissions.py` tries each cell
as an action; here each is tried as what a browser or a program sends. What is not a yes moves nothing.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from governance.inventory.models import ModelVersion
from governance.people.actions import people
from reviews.authorizations.models import Condition
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.workflow.web.page import stepping
from tests.integration.conftest import cast, checklist, installation, now, policy, signing_key_pem
from tests.integration.reviews import matrix
from tests.integration.reviews.conftest import world
from tests.integration.reviews.workflow.worlds import CONTRADICTED, World
from tests.promises import harness_report
from tests.promises.tickets import LONG
from tests.standstill import everything

__all__ = ["cast", "checklist", "installation", "now", "policy", "signing_key_pem", "world"]
pytestmark = [pytest.mark.django_db, pytest.mark.nightly]

TABLE = matrix.table()
BECAUSE = {"reason": "It misbehaves."}
WAIVER = {"rule": "accuracy-floor-prod", "valid_days": 30, **BECAUSE}
FIGURE = {"name": "error_rate", "value": "0.01", "basis": "estimated"}
Sent = Mapping[str, tuple[str, Mapping[str, Any]]]


TEXTS = {
    "title": "Another title",
    "purpose": "Another purpose",
    "environment": "prod",
    "business_case": "As before.",
}


def ballot(stage: str, choice: str) -> dict[str, str]:
    return {"stage": stage, "choice": choice, "rationale": "Because of the figures."}


VOTES = {
    "approve": ballot("technical", "approve"),
    "reject": ballot("technical", "reject"),
    "request_changes": ballot("technical", "request_changes"),
    "approve_budget": ballot("gpu-budget", "approve"),
}


def seen_of(request: ReviewRequest) -> str:
    """What the page before a submission sends."""
    return preview_of_draft(request, now=timezone.now()).digest if request.state == "draft" else "sha256:old"


def other_of(request: ReviewRequest) -> int:
    """Another version of the model, the same at every door."""
    known = ModelVersion.objects.filter(asset=request.model_version.asset_id, version="9.9.9").first()
    if known is not None:
        return int(known.pk)
    version = ModelVersion.objects.get(pk=request.model_version_id)
    version.pk, version.version, version.digest = None, "9.9.9", "sha256:" + "9" * 64
    version.save(force_insert=True)
    return int(version.pk)


def on_pages(request: ReviewRequest) -> Sent:
    """Step -> the end of its address and what the form sends."""
    filing = {
        **TEXTS,
        "artifact": "registered",
        "model_version": request.model_version_id,
        "evaluation": "none",
        **CONTRADICTED,
    }
    return {
        "edit": ("edit/", filing),
        "submit": ("submit/", {"seen": seen_of(request)}),
        "state_metric_value": ("metric-values/", FIGURE),
        "answer_item": ("checklist/rollback-rehearsed/", {"is_attested": "on"}),
        "explain": ("contradictions/latency_p95_ms/", {"text": "It was another machine."}),
        "request_review": ("review/", {}),
        **{name: ("votes/", sent) for name, sent in VOTES.items()},
        "waive": ("waivers/", WAIVER),
        "revise": ("revise/", BECAUSE),
        "amend": ("amend/", {"title": "A clearer title", **BECAUSE}),
        "exchange": ("exchange/", {"version": other_of(request), **BECAUSE}),
        "extend": ("extend/", {"days": 7, **BECAUSE}),
        "withdraw": ("withdraw/", BECAUSE),
        "retry_packet": ("packets/1/retry/", {}),
        "revoke": ("authorization/revoke/", BECAUSE),
        "confirm": (f"conditions/{owed(request)}/", {}),
    }


def over_the_api(request: ReviewRequest) -> Sent:
    """Step -> the end of its address and the document."""
    return {
        "edit": ("edit/", {**TEXTS, "model_version": str(request.model_version_id)}),
        "submit": ("submit/", {}),
        "state_metric_value": ("metric-values/", FIGURE),
        "answer_item": ("checklist/rollback-rehearsed/", {"is_attested": True}),
        "explain": ("contradictions/latency_p95_ms/", {"text": "It was another machine."}),
        "request_review": ("review/", {}),
        **{name: ("votes/", sent) for name, sent in VOTES.items()},
        "waive": ("waivers/", WAIVER),
        "revise": ("revise/", BECAUSE),
        "amend": ("amend/", {"title": "A clearer title", **BECAUSE}),
        "exchange": ("exchange/", {"model_version": str(other_of(request)), **BECAUSE}),
        "extend": ("extend/", {"days": 7, **BECAUSE}),
        "withdraw": ("withdraw/", BECAUSE),
        "retry_packet": ("packets/retry/", {}),
        "revoke": ("authorization/revoke/", BECAUSE),
        "confirm": (f"conditions/{owed(request)}/confirm/", {}),
    }


def owed(request: ReviewRequest) -> int:
    return Condition.objects.filter(authorization__decision__request=request).values_list("pk", flat=True).first() or 1


DOORS: dict[str, tuple[str, Callable[[ReviewRequest], Sent]]] = {
    "page": ("/requests/{ref}/", on_pages),
    "api": ("/api/v1/requests/{ref}/", over_the_api),
}
STATUSES = {
    "page": {matrix.YES: {302}, matrix.NO: {403}, matrix.NOT_NOW: {409}, matrix.NONE: {404}},
    "api": {matrix.YES: {200, 201}, matrix.NO: {403}, matrix.NOT_NOW: {409}, matrix.NONE: {404}},
}


def client_of(door: str, user: User, world: World) -> Client:
    if door == "page":
        client = Client()
        client.force_login(user)
        return client
    User.objects.filter(pk=user.pk).update(is_active=True)  # a closed account had its token before
    token = people.create_token(user=user, valid_days=1, by=None, now=world.now)
    User.objects.filter(pk=user.pk).update(is_active=user.is_active)
    return Client(headers={"Authorization": f"Token {token}"})


def rows() -> dict[str, tuple[int, str]]:
    """Everything but when a token was last used."""
    return {table: told for table, told in everything().items() if table != "people_apitoken"}


def expected(door: str, state: str, step: str, person: str) -> set[int]:
    """The statuses of a cell at a door."""
    if person == "outsider":
        return {404}
    if person == "gone":
        return {302} if door == "page" else {401}
    if door == "page" and step in {"edit", "submit"} and TABLE[state][step][person] == matrix.NOT_NOW:
        return {302}  # led back to the request, with the reason
    if door == "page" and step == "answer_item" and state == "draft":
        return {404}  # a draft has no checklist yet, whoever asks
    return STATUSES[door][TABLE[state][step][person]]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page that says no is drawn in the long form alone."""
    if not LONG:
        monkeypatch.setattr(
            stepping, "render_tab", lambda request, review, *, tab, bound, status: HttpResponse(status=status)
        )
    return


class Tries:
    """One request, its people, and what each door says to each of them."""

    def __init__(self, world: World, state: str) -> None:
        self.state, self.request = state, getattr(world, state)()
        self.doors = {
            door: (at.format(ref=self.request.ref), steps(self.request)) for door, (at, steps) in DOORS.items()
        }
        people_ = world.everybody()
        self.clients = {door: {name: client_of(door, user, world) for name, user in people_.items()} for door in DOORS}
        self.before = rows()
        self.departures: dict[tuple[str, ...], str] = {}
        self.counts = Counter[tuple[str, str]]()

    def send(self, door: str, step: str, person: str) -> int:
        (address, steps), client = self.doors[door], self.clients[door][person]
        end, sent = steps[step]
        if door == "page":
            return client.post(f"{address}{end}", sent).status_code
        call = client.put if step == "answer_item" else client.post
        return call(f"{address}{end}", sent, content_type="application/json").status_code

    def judge(self, door: str, step: str, person: str) -> None:
        """A yes is done and taken back; after all that is no yes, everything stands as before."""
        cell, mark = TABLE[self.state][step][person], transaction.savepoint()
        status = self.send(door, step, person)
        has_moved = cell == matrix.YES and rows() != self.before
        if cell == matrix.YES:
            transaction.savepoint_rollback(mark)
        self.counts[door, cell] += 1
        if status not in expected(door, self.state, step, person) or has_moved != (cell == matrix.YES):
            self.departures[door, step, person] = f"{cell}, and yet {status}{', moved' * has_moved}"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("state", TABLE)
def test_every_door_says_what_the_table_says(world: World, state: str) -> None:
    """The short form tries each cell at one of the doors, the long form at both."""
    tries = Tries(world, state)
    for at_turn, door in enumerate(DOORS):
        steps = [step for step in TABLE[state] if step in tries.doors[door][1]]
        for number, (step, person) in enumerate(itertools.product(steps, TABLE[state]["submit"])):
            if LONG or number % len(DOORS) == at_turn:
                tries.judge(door, step, person)
    assert tries.departures == {}
    assert rows() == tries.before
    figures = {"what": state.replace("_", " "), "tries": tries.counts.total(), "departures": len(tries.departures)}
    cells = (matrix.YES, matrix.NO, matrix.NOT_NOW, matrix.NONE)
    figures |= {cell: sum(tries.counts[door, cell] for door in DOORS) for cell in cells}
    harness_report.tell("doors", __file__, **figures)


@pytest.mark.parametrize("state", TABLE if LONG else ["in_review", "before_the_last_vote"])
def test_nobody_moves_a_request_in_the_admin(world: World, state: str) -> None:
    """Not even with every permission Django has."""
    request: ReviewRequest = getattr(world, state)()
    User.objects.update(is_staff=True, is_superuser=True)
    before, address = rows(), reverse("admin:requests_reviewrequest_change", args=[request.pk])
    said = {}
    for person, user in world.everybody().items():
        client = Client()
        client.force_login(user)
        tried = [client.post(address, {"state": target.value}) for target in RequestState]
        tried += [
            client.post(reverse(f"admin:{name}_add"), VOTES["approve"])
            for name in ("voting_vote", "authorizations_decision")
        ]
        said[person] = {answer.status_code for answer in tried}
    assert said == {person: {302} if person == "gone" else {403} for person in said}
    assert rows() == before
