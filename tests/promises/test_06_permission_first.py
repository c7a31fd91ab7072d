"""Promise 6: whoever may not take a step hears only that: not what the step takes, and not what state the thing is in.

The calls are read from the schema, so that a new one is tried from its first day.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from governance.bills.actions.bills import Delivery, receive
from governance.findings import actions as findings
from governance.findings.models import Finding
from governance.notifications.actions import webhooks
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.outbox.dispatches import log_attempt
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.models import Team
from reviews.quarterly.actions import cycles as meetings
from reviews.quarterly.actions import quarterly_packets
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.workflow.actions import authorizations
from tests.factories import cycles
from tests.factories.bills import csv_bytes
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.factories.workers import make_worker
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises.planted_notices import HERE
from tests.promises.test_06_strangers import cast, things
from tests.promises.tickets import LONG

__all__ = ["cast", "checklist", "installation", "now", "policy", "signing_key_pem", "things"]
pytestmark = pytest.mark.django_db

METHODS = ("post", "put", "patch", "delete")
BODIES = ("{}", '{"nobody knows this": 1}', *(("[]", "null", "{", "[" * 100_000) if LONG else ("[",)))
OF_EVERYBODY = {
    "/api/v1/requests/{ref}/looks/": "a personal note of whoever may see the request",
    "/api/v1/requests/{ref}/viewed/": "a personal note of whoever may see the request",
    "/api/v1/costs/": "a calculator; everybody who can log in may use it",
    "/api/v1/notifications/read/": "everybody reads what they were told",
    "/api/v1/notifications/settings/": "everybody says how they want to be told",
    "/api/v1/saved-views/": "everybody saves lists for themselves",
    "/api/v1/allocation-rules/preview/": "changes nothing, and is for whoever sees bills, auditors among them",
}


def calls() -> list[tuple[str, str]]:
    """Method and address of every call that writes."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [(method, path) for path, found in schema["paths"].items() for method in found.keys() & set(METHODS)]


@pytest.fixture
def place(cast: Cast, things: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the addresses name, all of it there: what is missing answers 404 to everybody, whatever they may do."""
    cycle = ReviewCycle.objects.get()
    item = cycles.make_item(cycle=cycle, by=cast.approver, now=cycles.met_at(now))
    quarterly_packets.issue(cycle=cycle, by=cast.approver, now=cycles.met_at(now))
    bill = receive(upload=ContentFile(csv_bytes(), name="b.csv"), delivery=Delivery(), by=cast.finance, now=now)
    worker = make_worker(cast=cast, now=now).worker
    team = Team.objects.get(slug=things["team"])
    hook, _ = webhooks.add_webhook(
        team=team, flavor=WebhookFlavor.SIGNED, name="CI", address=HERE, kinds=["decided"], by=cast.admin, now=now
    )
    message = webhooks.test_webhook(webhook=hook, by=cast.admin, now=now)
    log_attempt(dispatch=message, status=500, answer="No.", taken_ms=1, now=now)
    return dict(things) | {
        "item_id": item.pk,
        "bill_id": bill.pk,
        "worker_id": worker.pk,
        "webhook_id": hook.pk,
        "message_id": message.pk,
        "kind": "request",
    }


def end_everything(cast: Cast, place: Mapping[str, Any], now: datetime) -> None:
    """Each thing in its last state."""
    later = cycles.met_at(now)
    finding = Finding.objects.get(pk=place["finding_id"])
    findings.close(finding=finding, note="Repaired.", by=cast.admin, now=now)
    change = Change.objects.get(pk=place["change_id"])
    approvals.refuse(change=change, reason="It is not needed any more.", by=cast.author, now=now)
    meetings.close(cycle=ReviewCycle.objects.get(), by=cast.approver, now=later)
    held = AgendaItem.objects.get(pk=place["item_id"])
    assert held.cycle.state == "closed"
    request_held = authorizations.Authorization.objects.get()
    authorizations.revoke(authorization=request_held, reason="It misbehaves.", by=cast.approver, now=now)


def answers(user: User, place: Mapping[str, Any], now: datetime) -> dict[tuple[str, str, str], int]:
    program = APIClient(raise_request_exception=False)
    token = people.create_token(user=user, valid_days=1, by=None, now=now)
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    found = {}
    for method, path in calls():
        if path in OF_EVERYBODY:
            continue
        for body in BODIES:
            with transaction.atomic():
                answer = getattr(program, method)(path.format(**place), data=body, content_type="application/json")
                transaction.set_rollback(True)
            found[method, path, body[:12]] = answer.status_code
    return found


@pytest.mark.parametrize("who", ["auditor", "outsider", "nobody"])
@pytest.mark.parametrize("is_ended", [False, True], ids=["open", "ended"])
def test_whoever_may_not_hears_only_that(
    cast: Cast, place: dict[str, Any], now: datetime, who: str, is_ended: bool
) -> None:
    if is_ended:
        end_everything(cast, place, now)
    user = getattr(cast, who, None) or make_person("nobody", now=now)
    lawful = LAWFUL.get(who, set())
    before = snapshot()
    found = answers(user, place, now)
    assert {call: status for call, status in found.items() if status not in {403, 404} and call[1] not in lawful} == {}
    assert snapshot() == before
    assert len({call[:2] for call in found}) > 50
    if who == "auditor":
        assert {
            call: status for call, status in found.items() if status == 404 and call[1] not in UNSEEN | lawful
        } == {}
        assert list(found.values()).count(403) > 100


def test_a_call_that_an_auditor_may_not_make_is_found_by_somebody(
    cast: Cast, place: dict[str, Any], now: datetime
) -> None:
    """So that the sweep cannot pass by asking for things that are not there."""
    missing = {(method, path) for method, path in calls() if path not in OF_EVERYBODY}
    for user in (cast.author, cast.approver, cast.finance):
        found = answers(user, place, now)
        missing &= {call[:2] for call, status in found.items() if status == 404}
    assert missing == set()


UNSEEN = {
    "/api/v1/saved-views/{view_id}/remove/",  # the list of another person, which no auditor sees either
}


LAWFUL = {
    # The outsider is a requester of another team, and may do this for that team.
    "outsider": {
        "/api/v1/absences/",
        "/api/v1/models/",
        "/api/v1/datasets/",
        "/api/v1/requests/",
        "/api/v1/workloads/reports/",
        "/api/v1/usage/reports/",
        "/api/v1/budgets/changes/",
        "/api/v1/cycles/{quarter}/scorecard/",
    },
    # The auditor reads what every team did, and lets a worker compute it.
    "auditor": {"/api/v1/rulebook/policies/{name}/{number}/backtest/"},
}


def test_the_exceptions_are_calls() -> None:
    assert set(OF_EVERYBODY).union(UNSEEN, *LAWFUL.values()) <= {path for _, path in calls()}
    assert json.loads(BODIES[1])
