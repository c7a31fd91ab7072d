"""`budgets/`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import LedgerEntry
from governance.people.models import Team
from tests.factories.requests import allocate_budget
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
ALLOCATION = {"team": "search", "quarter": "2026Q4", "unit": "USD", "amount": "1500.50"}


def test_finance_allocates(api: Api, finance: User, author: User) -> None:
    response = api(finance).post("/api/v1/budgets/", ALLOCATION, format="json")
    entry = LedgerEntry.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "team": "search",
        "quarter": "2026Q4",
        "unit": "USD",
        "kind": "allocate",
        "amount": "1500.5",
        "booked_at": entry.booked_at.isoformat().replace("+00:00", "Z"),
    }
    assert api(author).get("/api/v1/budgets/").json() == [
        {
            "team": "search",
            "team_name": "Search",
            "level": "team",
            "quarter": "2026Q4",
            "unit": "USD",
            "mode": "enforce",
            "tolerance_percent": 10,
            "is_closed": False,
            "allocated": "1500.5",
            "expired": "0",
            "allocated_below": "0",
            "reserved": "0",
            "committed": "0",
            "spent": "0",
            "withheld": "0",
            "available": "1500.5",
        }
    ]


@pytest.mark.parametrize("person", ["author", "reviewer_one", "approver", "admin", "auditor"])
def test_nobody_else_allocates(api: Api, cast: Any, person: str) -> None:
    before = snapshot()
    response = api(getattr(cast, person)).post("/api/v1/budgets/", ALLOCATION, format="json")
    assert (response.status_code, response.json()["detail"]) == (403, "Only finance may allocate a budget.")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e15"}, "amount"),
        ({"amount": "0.001"}, "amount"),
        ({"unit": "EUR"}, "unit"),
        ({"team": "nobody"}, "team"),
        ({"note": "x"}, "note"),
    ],
)
def test_bad_input_is_named_by_its_field(api: Api, finance: User, changes: dict[str, str], field: str) -> None:
    before = snapshot()
    response = api(finance).post("/api/v1/budgets/", ALLOCATION | changes, format="json")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert snapshot() == before


def test_a_quarter_that_is_none(api: Api, finance: User) -> None:
    before = snapshot()
    response = api(finance).post("/api/v1/budgets/", ALLOCATION | {"quarter": "2026Q5"}, format="json")
    assert (response.status_code, response.json()["detail"]) == (
        400,
        "'2026Q5' is not a quarter. Write it like 2026Q4.",
    )
    assert snapshot() == before


@pytest.mark.parametrize(
    ("person", "count"),
    [
        ("author", 2),
        ("finance", 2),
        ("approver", 2),
        ("auditor", 2),
        ("admin", 2),
        ("outsider", 0),
        ("reviewer_one", 0),
    ],
)
def test_who_sees_the_budget_of_a_team(api: Api, cast: Any, team: Team, now: datetime, person: str, count: int) -> None:
    allocate_budget(team=team, by=cast.finance, now=now)
    client = api(getattr(cast, person))
    assert len(client.get("/api/v1/budgets/").json()) == count
    assert len(client.get("/api/v1/budgets/", {"quarter": str(Quarter.of(now.date()))}).json()) == count
    assert client.get("/api/v1/budgets/", {"quarter": "1999Q1"}).json() == []
