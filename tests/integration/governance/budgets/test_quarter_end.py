"""The end of a quarter: what is left expires once, and late bills are measured against the whole budget."""

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.bills.queries import spend_tree
from governance.budgets import tasks as budgets_tasks
from governance.budgets.actions import budgets, quarter_end
from governance.budgets.domain.burn_down import burn_down_chart
from governance.budgets.domain.ledger import EntryKind
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import CostCenter, LedgerEntry
from governance.budgets.queries import cost_centers as tree
from governance.budgets.queries.budgets import balance_of
from governance.budgets.queries.burn_down import burn_down
from governance.budgets.queries.effects import effects
from governance.findings.models import Finding
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.quarterly.queries.quarterly_metrics import spend
from tests.factories.people import Cast, make_person
from tests.integration.governance.budgets.test_budget_tree import (
    LATER,
    NOW,
    OTHER,
    QUARTER,
    REF,
    D,
    bill,
    commit,
    counts,
    give,
    of,
    reserve,
    unit,
)
from tests.pages import html_of
from tests.refusals import has_code
from tests.threads import together
from weighbridge.core.errors import WrongState

__all__ = ["unit"]


def test_a_quarter_ends_once_however_often_the_tick_runs(cast: Cast, team: Team, unit: CostCenter) -> None:
    commit(team, cast.approver, "30")
    reserve(team, cast.author, "10", ref=OTHER)
    assert quarter_end.close_quarters(now=NOW) == []
    budgets_tasks.end_quarters(LATER)
    lines = [
        (row.account.center.slug, row.kind, row.amount)
        for row in LedgerEntry.objects.filter(kind="expire").order_by("pk")
    ]
    assert lines == [("search", "expire", D(60)), ("retail", "expire", D(960))]
    before = counts()
    budgets_tasks.end_quarters(LATER)
    assert counts() == before
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    assert (account.closed_at, balance_of(account).available, balance_of(of(unit)).available) == (LATER, 0, 0)
    for act in (partial(reserve, team, cast.author, "1", key="n"), partial(give, team, cast.finance, "1", key="n")):
        with pytest.raises(WrongState, check=has_code("closed")):
            act()
    bill(account, "12")
    budgets.release(ref=OTHER, key="x", by=None, now=LATER)
    assert (balance_of(account).committed, balance_of(account).reserved) == (18, 0)


def test_accounts_close_a_share_at_a_time_from_the_leaves_up(
    cast: Cast, team: Team, unit: CostCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarter_end, "AT_ONCE", 1)
    closed = [[row.center.slug for row in quarter_end.close_quarters(now=LATER)] for _ in range(4)]
    assert closed == [["search"], ["retail"], [], []]
    expired = list(LedgerEntry.objects.filter(kind="expire").order_by("pk").values_list("amount", flat=True))
    assert expired == [D(100), D(1000)]


def test_the_burn_down_of_a_closed_account_ignores_what_expired(cast: Cast, team: Team, unit: CostCenter) -> None:
    account, end, later = of(tree.of_team(team)), date(2026, 12, 31), date(2027, 1, 5)  # type: ignore[arg-type]
    bill(account, "30", ref="")
    before = [burn_down(each, today=end).available for each in (account, of(unit))]
    quarter_end.close_quarters(now=LATER)
    own, above = (burn_down(each, today=later) for each in (account, of(unit)))
    assert (own.allocated, own.available[-1], above.available[-1]) == (100, (end, 70), (end, 900))
    assert [own.available, above.available] == before
    assert burn_down_chart(own).finding == "70.00 USD of 100.00 USD were available when the quarter ended."


def test_a_bill_after_the_close_is_measured_against_the_whole_budget(
    cast: Cast, team: Team, unit: CostCenter, as_: Callable[[User], Client], api: Callable[[User], APIClient]
) -> None:
    """75 of 100 are billed, the last 25 of them after the rest has expired: nothing is over, anywhere."""
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    for period in ("2026-10", "2026-11"):
        bill(account, "25", ref="", key=period, period=period)
    quarter_end.close_quarters(now=LATER)
    bill(account, "25", ref="", key="2026-12", period="2026-12")
    own, above = balance_of(account), balance_of(of(unit))
    assert (own.allocated, own.expired, own.available, own.budget, own.over) == (50, 50, -25, 100, 0)
    assert (above.budget, above.own_budget, above.expired_below, above.over) == (1000, 900, 50, 0)
    assert not Finding.objects.exists()
    packet = spend(Quarter.parse(QUARTER), now=LATER)
    assert [(row.account, row.allocated, row.spent, row.forecast, row.is_over) for row in packet] == [
        ("Retail USD", 900, 0, 0, False),
        ("Search USD", 100, 75, 75, False),
    ]
    page = as_(cast.finance).get(f"/budgets/?quarter={QUARTER}")
    rows = {each.team: each.accounts[0] for each in page.context["teams"] if each.accounts}
    assert [(slug, row.used_share, row.rolled.over) for slug, row in rows.items()] == [
        ("organization", D("0.075"), 0),
        ("retail", D("0.075"), 0),
        ("search", D("0.75"), 0),
    ]
    words = html_of(page)
    assert "over budget" not in words
    assert "25.00 of $100.00 available" in words
    assert "expired $50.00" in words
    file = as_(cast.finance).get(f"/budgets.csv?quarter={QUARTER}").content.decode("utf-8-sig").splitlines()
    (line,) = [dict(zip(file[0].split(","), each.split(","), strict=True)) for each in file[1:] if '"search"' in each]
    shown = [line[f'"{name}"'] for name in ("Allocated", "Billed", "Expired", "Available", "Over budget below")]
    assert shown == ['"100.00"', '"75.00"', '"50.00"', '"-25.00"', '"0"']
    (row,) = [each for each in api(cast.finance).get("/api/v1/budgets/").json() if each["team"] == "search"]
    assert [row[name] for name in ("allocated", "expired", "spent", "available")] == ["100", "50", "75", "-25"]
    center = spend_tree.CenterSpend(("Search",), "search", "team", own=D(25), whole=D(25))
    (cells,) = spend_tree.table([center], month=date(2026, 12, 1), today=LATER.date()).rows
    assert tuple(cells)[-4:] == (100, 75, 75, 0)


def test_a_request_of_a_closed_quarter_shows_the_whole_budget_and_what_expired(
    cast: Cast, team: Team, unit: CostCenter
) -> None:
    commit(team, cast.approver, "30")
    quarter_end.close_quarters(now=LATER)
    (effect,) = effects(team=team, ref=REF, amounts=None, since=Quarter.parse(QUARTER), today=LATER.date())
    assert (effect.allocated, effect.expired, effect.this, effect.available) == (100, 70, 30, 30)
    assert (effect.committed, effect.after) == (0, 0)


def test_what_is_above_the_whole_budget_after_the_close_is_an_overrun(cast: Cast, team: Team, unit: CostCenter) -> None:
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    bill(account, "50", ref="", key="a")
    quarter_end.close_quarters(now=LATER)
    bill(account, "60", ref="", key="b", period="2026-12")
    assert (balance_of(account).over, Finding.objects.count()) == (10, 0), "within the tolerance of 10 %"
    bill(account, "61", ref="", key="c", period="2026-12")
    assert Finding.objects.get().text == (
        "111.00 USD was billed or accrued, and 100.00 USD is allocated: 11.00 USD more, which is above the tolerance "
        "of 10 %."
    )
    (row,) = [row for row in spend(Quarter.parse(QUARTER), now=LATER) if row.account == "Search USD"]
    assert (row.allocated, row.spent, row.is_over) == (100, 111, True)


def test_a_commitment_that_ends_after_its_quarter_leaves_the_closed_account(
    cast: Cast, team: Team, unit: CostCenter
) -> None:
    commit(team, cast.approver, "30")
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    quarter_end.close_quarters(now=LATER)
    bill(account, "200", ref="")
    budgets.release_commitment(ref=REF, key="ended", kind=EntryKind.EXPIRE, by=None, now=LATER)
    assert (balance_of(account).committed, balance_of(account).available) == (0, -170)


def test_an_overspent_account_expires_nothing(cast: Cast, team: Team, unit: CostCenter) -> None:
    account = of(tree.of_team(team))  # type: ignore[arg-type]
    bill(account, "100", ref="")
    quarter_end.close_quarters(now=LATER)
    assert not LedgerEntry.objects.filter(kind="expire", account=account).exists()
    assert AuditEvent.objects.filter(kind="budget.closed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_ticks_close_a_quarter_once(cast: Cast, team: Team) -> None:
    account = give(team, cast.finance, "100", key="a")
    make_person("second", Role.FINANCE, now=NOW)
    outcomes = together([partial(quarter_end.close_quarters, now=LATER)] * 4)
    assert sorted(len(each) for each in outcomes) == [0, 0, 0, 1]  # type: ignore[arg-type]
    assert LedgerEntry.objects.filter(kind="expire").count() == 1
    assert balance_of(account).available == 0
