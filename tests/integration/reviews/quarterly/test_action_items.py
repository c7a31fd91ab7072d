"""Action items over HTTP: taken up, carried out, given up; by whom, and never twice."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from reviews.quarterly.models import ActionItem
from tests.factories.cycles import make_action
from tests.factories.models import make_version
from tests.factories.people import Cast

Api = Callable[[User | None], APIClient]
OUTCOME = {"outcome": "It went another way."}


@pytest.fixture
def item(cast: Cast, now: datetime) -> ActionItem:
    """Owed by the author."""
    return make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now).asset)


def post(client: APIClient, item: ActionItem, step: str, body: dict[str, str] | None = None) -> Any:
    return client.post(f"/api/v1/action-items/{item.ref}/{step}/", body or {}, format="json")


def test_it_is_taken_up_and_given_up(api: Api, cast: Cast, item: ActionItem) -> None:
    taken = post(api(cast.author), item, "acknowledge")
    assert (taken.status_code, taken.json()["state"], taken.json()["outcome"]) == (200, "acknowledged", "")
    dropped = post(api(cast.approver), item, "drop", OUTCOME)
    assert (dropped.status_code, dropped.json()["state"], dropped.json()["outcome"]) == (
        200,
        "dropped",
        OUTCOME["outcome"],
    )
    item.refresh_from_db()
    assert (item.state, item.closed_by, item.outcome) == ("dropped", cast.approver, OUTCOME["outcome"])


@pytest.mark.parametrize(
    ("step", "who", "status"),
    [
        ("acknowledge", "product", 200),
        ("acknowledge", "auditor", 403),
        ("acknowledge", "outsider", 404),
        ("finish", "author", 200),
        ("finish", "auditor", 403),
        ("finish", "outsider", 404),
        ("drop", "product", 200),
        ("drop", "author", 403),
        ("drop", "auditor", 403),
        ("drop", "outsider", 404),
    ],
)
def test_who_may(api: Api, cast: Cast, item: ActionItem, step: str, who: str, status: int) -> None:
    client, before = api(getattr(cast, who)), AuditEvent.objects.count()
    answer = post(client, item, step, {} if step == "acknowledge" else OUTCOME)
    assert answer.status_code == status
    item.refresh_from_db()
    moved = AuditEvent.objects.filter(kind__startswith="action_item.").count()
    assert (item.state != "open", moved) == (status == 200, int(status == 200))
    assert status == 200 or AuditEvent.objects.count() == before


def test_what_is_closed_stays_closed_and_says_so(api: Api, cast: Cast, item: ActionItem) -> None:
    lead = api(cast.approver)
    without = post(lead, item, "drop", {"outcome": "No."})
    assert (without.status_code, without.json()["errors"][0]["field"]) == (400, "outcome")
    assert post(lead, item, "drop", OUTCOME).status_code == 200
    for step, body in (("acknowledge", {}), ("finish", OUTCOME), ("drop", OUTCOME)):
        assert post(lead, item, step, body).status_code == 409
    assert AuditEvent.objects.filter(kind__startswith="action_item.").count() == 1
