"""Budgets: what is seen by whom, allocating once, and a ledger that adds up."""

from decimal import Decimal

import pytest

from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of
from governance.budgets.queries.burn_down import burn_down_of
from tests.factories.requests import allocate_budget, usd_shares
from tests.pages import html_of


@pytest.fixture
def quarter(now):
    return str(Quarter.of(now.date()))


def filled(**changes):
    return {"team": "search", "quarter": "2026Q4", "unit": "USD", "amount": "1200.50", "key": "k1"} | changes


def test_a_team_sees_its_own_budget_and_no_other(as_, team, finance, author, outsider, now):
    allocate_budget(team=team, by=finance, now=now)
    assert [each.team for each in as_(author).get("/budgets/").context["teams"]] == ["search"]
    assert as_(outsider).get("/budgets/").context["teams"] == []
    assert "No budget in this quarter" in html_of(as_(outsider).get("/budgets/"))


def test_the_page_is_of_one_quarter(as_, team, finance, quarter, now):
    allocate_budget(team=team, by=finance, now=now)
    later = str(Quarter.parse(quarter).moved(8))
    budgets.allocate(
        holder=team, quarter=later, unit=BudgetUnit.USD, amount=Decimal(5), key="later", by=finance, now=now
    )
    answer = as_(finance).get(f"/budgets/?quarter={later}")
    assert answer.context["quarters"] == [later, quarter]
    assert [(each.unit, each.account.balance.available) for each in answer.context["teams"][-1].accounts] == [
        ("USD", Decimal(5))
    ]


def test_only_finance_is_offered_the_form(as_, team, finance, admin):
    assert as_(finance).get("/budgets/").context["form"] is not None
    assert as_(admin).get("/budgets/").context["form"] is None


def test_finance_allocates_and_a_form_sent_twice_allocates_once(as_, team, finance):
    client = as_(finance)
    for _ in range(2):
        answer = client.post("/budgets/", filled())
        assert answer.headers["Location"] == "/budgets/?quarter=2026Q4"
    assert [(entry.kind, entry.amount) for entry in LedgerEntry.objects.all()] == [("allocate", Decimal("1200.50"))]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"amount": "-3"}, "amount", "The amount must be more than zero"),
        ({"amount": "many"}, "amount", "Enter a number."),
        ({"quarter": "autumn"}, "quarter", "is not a quarter. Write it like 2026Q4."),
        ({"team": "nobody"}, "team", "Select a valid choice."),
        ({"unit": "EUR"}, "unit", "Select a valid choice."),
    ],
)
def test_a_faulty_allocation_is_refused_beside_its_field_and_kept(as_, team, finance, changes, field, reason):
    answer = as_(finance).post("/budgets/", filled(**changes))
    assert answer.status_code == 400
    assert reason in answer.context["form"].errors[field][0]
    assert answer.context["form"][field].value() == changes[field]
    assert not LedgerEntry.objects.exists()


def test_whoever_is_not_finance_allocates_nothing(as_, team, admin):
    answer = as_(admin).post("/budgets/", filled())
    assert answer.status_code == 403
    assert not LedgerEntry.objects.exists()


def test_the_ledger_adds_up(as_, decided, finance, quarter, now):
    first, second, *_ = usd_shares(now=now)
    answer = as_(finance).get(f"/budgets/search/{quarter}/USD/")
    statement = answer.context["statement"]
    assert [(line.kind, line.change, line.available) for line in reversed(statement.lines[:])] == [
        ("allocate", Decimal(100000), Decimal(100000)),
        ("reserve", -first, 100000 - first),
        ("release", first, Decimal(100000)),
        ("commit", -first, 100000 - first),
    ]
    assert statement.lines[:1][0].available == statement.balance.available
    page = html_of(answer)
    assert f'<a href="/requests/{decided.ref}/">{decided.ref}</a>' in page
    assert f"\N{MINUS SIGN}${first:,}" in page
    following = as_(finance).get(f"/budgets/search/{Quarter.parse(quarter).next}/USD/")
    assert [(line.kind, line.available) for line in following.context["statement"].lines[:]] == [("plan", -second)]


def test_a_ledger_is_seen_by_the_team_and_the_house(as_, decided, author, outsider, quarter):
    path = f"/budgets/search/{quarter}/gpu_h/"
    assert "1,000.00\N{NO-BREAK SPACE}GPU h" in html_of(as_(author).get(path))
    assert as_(outsider).get(path).status_code == 404


def test_an_account_that_was_never_opened_is_not_found(as_, team, finance):
    assert as_(finance).get("/budgets/search/2026Q4/EUR/").status_code == 404


def test_the_burn_down_ends_at_what_the_ledger_says_is_available(as_, decided, finance, quarter, now):
    html = html_of(as_(finance).get(f"/budgets/search/{quarter}/USD/"))
    account = BudgetAccount.objects.get(center__slug="search", quarter=quarter, unit="USD")
    found = burn_down_of(team=decided.team, quarter=quarter, unit="USD", today=now.date(), this=Decimal(5))
    assert found is not None
    assert found.now == balance_of(account).available
    assert found.expected_after == found.expected - 5
    assert 'id="burn-down"' in html
    assert "Show as table" in html
    assert burn_down_of(team=decided.team, quarter="2001Q1", unit="USD", today=now.date()) is None


def test_the_burn_down_without_a_request_gives_back_what_it_holds(decided, quarter, now):
    asked = {"team": decided.team, "quarter": quarter, "unit": "USD", "today": now.date()}
    with_it, without = burn_down_of(**asked), burn_down_of(**asked, without=decided.ref)
    assert without.now == without.allocated == 100_000
    assert without.now - with_it.now == usd_shares(now=now)[0]
