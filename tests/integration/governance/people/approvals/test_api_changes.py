"""`changes/`: roles and versions that take two people."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from tests.factories.changes import REASON, propose
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
URL = "/api/v1/changes/"


@pytest.fixture
def second(cast: Cast, now: datetime) -> User:
    return make_person("second.admin", Role.ADMIN, now=now)


@pytest.fixture
def change(cast: Cast, now: datetime) -> Change:
    draft = rulebook.draft_policy(source=defaults.text_of(defaults.POLICY), by=cast.approver, now=now)
    return propose(version=draft, by=cast.approver, now=now)


def wish(**changes: Any) -> dict[str, Any]:
    return {"user": "author", "role": "reviewer", "reason": REASON} | changes


def test_a_role_is_proposed_and_confirmed(api: Api, cast: Cast, second: User) -> None:
    proposed = api(cast.admin).post(URL, wish(), format="json")
    assert proposed.status_code == 201
    told = proposed.json()
    assert (told["description"], told["state"], told["proposed_by"], told["closed_by"]) == (
        "Give Author the role reviewer",
        "pending",
        "admin",
        None,
    )
    assert told["ref"] == f"CHG-{told['id']}"
    assert api(cast.admin).post(f"{URL}{told['id']}/confirm/").status_code == 403
    assert not RoleGrant.objects.filter(user=cast.author, role="reviewer").exists()
    confirmed = api(second).post(f"{URL}{told['id']}/confirm/")
    assert (confirmed.status_code, confirmed.json()["closed_by"]) == (200, "second.admin")
    assert RoleGrant.objects.filter(user=cast.author, role="reviewer").exists()
    again = api(second).post(f"{URL}{told['id']}/confirm/")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_a_proposal_is_refused_with_a_reason(api: Api, cast: Cast, change: Change) -> None:
    short = api(cast.admin).post(f"{URL}{change.pk}/refuse/", {"reason": "no"}, format="json")
    assert (short.status_code, short.json()["errors"][0]["field"]) == (400, "reason")
    refused = api(cast.admin).post(f"{URL}{change.pk}/refuse/", {"reason": "Not this quarter."}, format="json")
    assert (refused.json()["state"], refused.json()["closing_reason"]) == ("refused", "Not this quarter.")
    assert api(cast.auditor).get(f"{URL}{change.pk}/").json() == refused.json()


def test_they_are_listed_by_state(api: Api, cast: Cast, change: Change) -> None:
    client = api(cast.auditor)
    assert [row["id"] for row in client.get(URL).json()["results"]] == [change.pk]
    assert [row["id"] for row in client.get(f"{URL}?state=pending").json()["results"]] == [change.pk]
    assert client.get(f"{URL}?state=confirmed").json()["results"] == []
    wrong = client.get(f"{URL}?state=soon")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "state")


@pytest.mark.parametrize("person", ["author", "reviewer_one", "finance", "outsider"])
def test_whoever_may_not_read_them_learns_and_moves_nothing(api: Api, cast: Cast, change: Change, person: str) -> None:
    client, before = api(getattr(cast, person)), snapshot()
    said = [
        client.get(URL),
        client.get(f"{URL}{change.pk}/"),
        client.get(f"{URL}4711/"),
        client.post(URL, wish(), format="json"),
        client.post(f"{URL}{change.pk}/confirm/"),
        client.post(f"{URL}{change.pk}/refuse/", {"reason": REASON}, format="json"),
    ]
    assert (said[0].status_code, said[0].json()["results"]) == (200, [])
    assert [answer.status_code for answer in said[1:]] == [404, 404, 403, 404, 404]
    assert snapshot() == before


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"user": "nobody"}, 400, "user"),
        ({"role": "auditor"}, 400, "role"),
        ({"role": "finance", "user": "finance"}, 400, "role"),
        ({"user": "admin"}, 403, None),
        ({"reason": "short"}, 400, "reason"),
        ({"team": "search"}, 400, "team"),
    ],
)
def test_a_faulty_proposal_moves_nothing(
    api: Api, cast: Cast, changes: dict[str, Any], status: int, field: str | None
) -> None:
    before = snapshot()
    answer = api(cast.admin).post(URL, wish(**changes), format="json")
    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])][:1] == ([field] if field else [])
    assert snapshot() == before


def test_a_change_that_is_not_there(api: Api, cast: Cast) -> None:
    assert api(cast.admin).get(f"{URL}4711/").status_code == 404
    assert api(cast.admin).post(f"{URL}{2**70}/confirm/").status_code == 404
