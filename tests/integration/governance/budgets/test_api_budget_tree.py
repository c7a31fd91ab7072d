"""`cost-centers/` and `budgets/changes/`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.people.approvals.models import Change
from governance.people.models import Team
from tests.factories.requests import allocate_budget
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
ROOT = "/api/v1/budgets"
WHY = "Prices rose in this quarter."


@pytest.fixture
def quarter(team: Team, finance: User, now: datetime) -> str:
    """The current quarter, in which Search has a budget."""
    allocate_budget(team=team, by=finance, now=now)
    return str(Quarter.of(now.date()))


def wish(quarter: str, **more: str) -> dict[str, str]:
    asked = {"aspect": "amount", "team": "search", "quarter": quarter, "unit": "USD", "amount": "99000", "reason": WHY}
    return asked | more


def test_a_unit_is_opened_and_given_something(api: Api, finance: User, author: User, quarter: str) -> None:
    client = api(finance)
    opened = client.post("/api/v1/cost-centers/", {"level": "unit", "slug": "retail", "name": "Retail"}, format="json")
    assert (opened.status_code, opened.json()) == (
        201,
        {"slug": "retail", "name": "Retail", "level": "unit", "parent": "organization"},
    )
    given = {"team": "retail", "quarter": quarter, "unit": "USD", "amount": "5"}
    assert client.post(f"{ROOT}/", given, format="json").json()["team"] == "retail"
    project = {"level": "project", "slug": "ranker", "name": "Ranker", "team": "search"}
    assert client.post("/api/v1/cost-centers/", project, format="json").json()["parent"] == "search"
    assert [each["slug"] for each in client.get("/api/v1/cost-centers/").json()] == [
        "organization",
        "retail",
        "search",
        "ranker",
    ]
    assert [each["slug"] for each in api(author).get("/api/v1/cost-centers/").json()] == ["search", "ranker"]


def test_the_terms_of_an_account(
    api: Api, finance: User, author: User, approver: User, outsider: User, quarter: str
) -> None:
    url, terms = f"{ROOT}/search/{quarter}/USD/terms/", {"mode": "enforce", "tolerance_percent": 5}
    assert api(finance).post(url, terms, format="json").json() == terms
    looser = {"mode": "observe", "tolerance_percent": 5}
    refused = api(finance).post(url, looser, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reason")
    proposed = api(finance).post(url, looser | {"reason": WHY}, format="json")
    told = proposed.json()
    assert (proposed.status_code, told["state"], told["can_be_confirmed_by"]) == (202, "pending", ["approver"])
    assert BudgetAccount.objects.get(unit="USD").mode == "enforce"
    assert api(approver).post(f"/api/v1/changes/{told['id']}/confirm/", {}, format="json").status_code == 200
    assert BudgetAccount.objects.get(unit="USD").mode == "observe"
    assert [api(each).post(url, terms, format="json").status_code for each in (author, outsider)] == [403, 404]


def test_a_change_is_proposed_confirmed_and_refused(api: Api, cast: Any, quarter: str) -> None:
    said = api(cast.author).post(f"{ROOT}/changes/", wish(quarter), format="json")
    change = Change.objects.get()
    assert (said.status_code, said.json()["ref"], said.json()["state"]) == (201, f"CHG-{change.pk}", "pending")
    url = f"/api/v1/changes/{change.pk}/"
    assert api(cast.outsider).get(url).status_code == 404
    assert api(cast.author).post(f"{url}confirm/", {}, format="json").status_code == 403
    confirmed = api(cast.finance).post(f"{url}confirm/", {}, format="json").json()
    assert (confirmed["state"], confirmed["closed_by"], confirmed["details"]["target"]) == (
        "confirmed",
        "finance",
        None,
    )
    assert LedgerEntry.objects.latest("pk").amount == -1000
    second = api(cast.author).post(f"{ROOT}/changes/", wish(quarter, amount="1"), format="json").json()
    refused = api(cast.approver).post(f"/api/v1/changes/{second['id']}/refuse/", {"reason": WHY}, format="json").json()
    assert (refused["state"], refused["closing_reason"]) == ("refused", WHY)
    listed = api(cast.author).get("/api/v1/changes/", {"state": "refused", "kind": "budget"}).json()
    assert [each["id"] for each in listed["results"]] == [second["id"]]


def test_a_change_names_where_it_moves(api: Api, cast: Any, quarter: str, now: datetime) -> None:
    allocate_budget(team=Team.objects.get(slug="ads"), by=cast.finance, now=now)
    asked = wish(quarter, aspect="account", amount="5", to_team="ads")
    said = api(cast.approver).post(f"{ROOT}/changes/", asked, format="json").json()["details"]
    assert (said["account"], said["target"]) == (f"Search {quarter} USD", f"Ads {quarter} USD")
    missing = api(cast.approver).post(f"{ROOT}/changes/", wish(quarter, to_quarter="2031Q1"), format="json")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"aspect": "color"}, "aspect"),
        ({"amount": "-1"}, "amount"),
        ({"reason": "no"}, "reason"),
        ({"aspect": "date"}, "target"),
        ({"unit": "EUR"}, "unit"),
    ],
)
def test_bad_input_is_named_by_its_field(api: Api, approver: User, quarter: str, change: dict, field: str) -> None:
    client, before = api(approver), snapshot()
    response = client.post(f"{ROOT}/changes/", wish(quarter) | change, format="json")
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, [field])
    assert snapshot() == before
