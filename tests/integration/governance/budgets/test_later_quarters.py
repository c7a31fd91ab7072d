"""What an approval takes from quarters to come: planned on their accounts, never refused, drawn down and given back
apart.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.budgets.actions import actuals, budgets, cost_centers, quarter_end
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode, EntryKind
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries.budgets import balance_of
from governance.budgets.queries.cost_centers import account_above, of_team
from governance.budgets.queries.effects import effects
from governance.findings.models import Finding
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.factories.budgets import set_terms
from tests.factories.people import Cast, make_person, make_team
from tests.refusals import has_code
from tests.threads import together
from weighbridge.core.errors import WrongState

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW_ON = NOW.date()
PRESENT, NEXT, AFTER = "2026Q4", "2027Q1", "2027Q2"
REF, OTHER = "MRR-2026-0001", "MRR-2026-0002"
D = Decimal
LATER: Mapping[str, Mapping[BudgetUnit, Decimal]] = {NEXT: {BudgetUnit.USD: D(90)}, AFTER: {BudgetUnit.USD: D(70)}}


def give(holder: Team | CostCenter, by: User, amount: str, *, key: str = "k", quarter: str = PRESENT) -> BudgetAccount:
    return budgets.allocate(
        holder=holder, quarter=quarter, unit=BudgetUnit.USD, amount=D(amount), key=key, by=by, now=NOW
    ).account


def approve(team: Team, by: User, *, ref: str = REF, later: Mapping[str, Mapping[BudgetUnit, Decimal]] = LATER) -> None:
    budgets.commit(
        team=team,
        quarter=PRESENT,
        amounts={BudgetUnit.USD: D(40)},
        later=later,
        ref=ref,
        key=f"{ref}:1",
        by=by,
        now=NOW,
    )


def account(quarter: str, slug: str = "search") -> BudgetAccount:
    return BudgetAccount.objects.get(quarter=quarter, center__slug=slug)


def bill(quarter: str, period: str, amount: str) -> None:
    stated = Stated(period=period, amount=D(amount), request_ref=REF)
    actuals.book_actual(account=account(quarter), stated=stated, key=f"{period}:{amount}", by=None, now=NOW)


def on_the_database(row: BudgetAccount) -> Decimal:
    with connection.cursor() as cursor:
        cursor.execute("SELECT weighbridge_available(%s)", [row.pk])
        return cursor.fetchone()[0]


@pytest.fixture
def given(cast: Cast, team: Team) -> BudgetAccount:
    """Search holds 100 USD of the present quarter, and nothing of later ones."""
    return give(team, cast.finance, "100")


def test_each_quarter_has_an_entry_of_its_own(cast: Cast, team: Team, given: BudgetAccount) -> None:
    set_terms(given, mode=BudgetMode.ENFORCE, tolerance=25, cast=cast, now=NOW)
    approve(team, cast.approver)
    assert [
        (row.account.quarter, row.kind, row.amount, row.key)
        for row in LedgerEntry.objects.filter(request_ref=REF).order_by("pk")
    ] == [
        (PRESENT, "commit", 40, f"{REF}:1:commit:USD"),
        (NEXT, "plan", 90, f"{REF}:1:plan:2027Q1:USD"),
        (AFTER, "plan", 70, f"{REF}:1:plan:2027Q2:USD"),
    ]
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject, event.details["amount"]) == ("budget.plan", "Search 2027Q2 USD", "70")
    assert [(account(each).mode, account(each).tolerance_percent) for each in (NEXT, AFTER)] == [("enforce", 25)] * 2
    assert [balance_of(account(each)).available for each in (PRESENT, NEXT, AFTER)] == [60, -90, -70]
    booked = effects(team=team, ref=REF, amounts=None, since=Quarter.parse(PRESENT), today=NOW_ON)
    assert [(each.quarter, each.is_later) for each in booked] == [(PRESENT, False), (NEXT, True), (AFTER, True)]
    assert not Finding.objects.exists()  # nobody has budgeted those quarters yet
    with pytest.raises(IntegrityError), transaction.atomic():
        approve(team, cast.approver)


def test_only_the_present_quarter_refuses_and_then_nothing_moves(cast: Cast, team: Team, given: BudgetAccount) -> None:
    give(team, cast.finance, "10", key="n", quarter=NEXT)
    approve(team, cast.approver)
    approve(team, cast.approver, ref=OTHER)
    before = (LedgerEntry.objects.count(), AuditEvent.objects.count(), BudgetAccount.objects.count())
    with pytest.raises(WrongState, match=r"20\.00 USD available, and this needs 40\.00") as refusal:
        approve(team, cast.approver, ref="MRR-2026-0003", later={"2027Q3": {BudgetUnit.USD: D(1)}})
    assert refusal.value.code == "over_budget"
    assert (LedgerEntry.objects.count(), AuditEvent.objects.count(), BudgetAccount.objects.count()) == before


@pytest.mark.parametrize("mode", BudgetMode)
def test_too_much_for_a_budgeted_quarter_is_planned_and_told(
    cast: Cast, team: Team, given: BudgetAccount, mode: BudgetMode
) -> None:
    give(team, cast.finance, "89.99", key="n", quarter=NEXT)
    set_terms(account(NEXT), mode=mode, cast=cast, now=NOW)
    approve(team, cast.approver)
    assert balance_of(account(NEXT)).available == D("-0.01")
    found = [(row.subject, row.text) for row in Finding.objects.all()]
    text = (
        "Search 2027Q1 USD has 89.99 USD available, and this needs 90.00 USD: 0.01 USD too much. "
        "It was planned, because its quarter has not started."
    )
    assert found == ([] if mode is BudgetMode.OFF else [(f"{REF} on Search 2027Q1 USD", text)])


def test_what_is_enough_is_not_told(cast: Cast, team: Team, given: BudgetAccount) -> None:
    give(team, cast.finance, "90", key="n", quarter=NEXT)
    approve(team, cast.approver)
    assert (balance_of(account(NEXT)).available, Finding.objects.count()) == (0, 0)


def test_a_budget_of_a_planned_quarter_bears_its_plans_first(cast: Cast, team: Team, given: BudgetAccount) -> None:
    approve(team, cast.approver)
    give(team, cast.finance, "100", key="n", quarter=NEXT)
    (seen,) = effects(
        team=team, ref=OTHER, amounts={NEXT: {BudgetUnit.USD: D(11)}}, since=Quarter.parse(NEXT), today=NOW_ON
    )
    assert (seen.available, seen.after, seen.forecast, seen.forecast_after) == (10, -1, 90, 101)
    ask = partial(budgets.reserve, team=team, quarter=NEXT, ref=OTHER, by=cast.author, now=NOW)
    with pytest.raises(WrongState, match=r"10\.00 USD available"):
        ask(amounts={BudgetUnit.USD: D("10.01")}, key="o")
    ask(amounts={BudgetUnit.USD: D(10)}, key="o")
    for row in BudgetAccount.objects.all():
        assert on_the_database(row) == balance_of(row).available
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(
            account=account(NEXT), kind="commit", request_ref=REF, amount=D("0.01"), key="x", booked_at=NOW
        )


def test_bills_draw_down_the_plan_of_their_own_quarter(cast: Cast, team: Team, given: BudgetAccount) -> None:
    give(team, cast.finance, "100", key="n", quarter=NEXT)
    approve(team, cast.approver)
    bill(PRESENT, "2026-12", "44")  # within ten percent of 40
    bill(NEXT, "2027-01", "60")
    bill(NEXT, "2027-02", "39")  # 99 of 90
    assert not Finding.objects.exists()
    bill(PRESENT, "2026-11", "0.01")
    assert [row.subject for row in Finding.objects.all()] == [f"{REF} on Search 2026Q4 USD"]
    assert [balance_of(account(each)).committed for each in (PRESENT, NEXT, AFTER)] == [0, 0, 70]
    assert balance_of(account(NEXT)).spent == 99
    bill(AFTER, "2027-04", "5")  # within its plan, and nobody budgeted the quarter
    assert Finding.objects.latest("pk").subject == "Search 2027Q2 USD"


@pytest.mark.parametrize("kind", [EntryKind.RELEASE, EntryKind.EXPIRE])
def test_what_is_left_of_every_quarter_is_given_back_once(
    cast: Cast, team: Team, given: BudgetAccount, kind: EntryKind
) -> None:
    approve(team, cast.approver)
    bill(PRESENT, "2026-12", "10")
    bill(NEXT, "2027-01", "20")
    budgets.release_commitment(ref=REF, key="ended", kind=kind, by=None, now=NOW)
    rows = LedgerEntry.objects.filter(kind=kind, is_commitment=True).order_by("account__quarter")
    assert [(row.account.quarter, row.amount) for row in rows] == [(PRESENT, 30), (NEXT, 70), (AFTER, 70)]
    assert [balance_of(account(each)).committed for each in (PRESENT, NEXT, AFTER)] == [0, 0, 0]
    before = LedgerEntry.objects.count()
    budgets.release_commitment(ref=REF, key="again", kind=kind, by=None, now=NOW)
    assert LedgerEntry.objects.count() == before


def test_an_account_that_only_holds_plans_stands_aside_in_the_tree(
    cast: Cast, team: Team, given: BudgetAccount
) -> None:
    center = of_team(team)
    project = cost_centers.open_center(
        level=CenterLevel.PROJECT, slug="ranker", name="Ranker", parent=center, by=cast.finance, now=NOW
    )
    give(project, cast.finance, "50", key="p", quarter=NEXT)
    approve(team, cast.approver)
    planned = account(NEXT)
    assert (balance_of(planned).allocated_below, account_above(account(NEXT, "ranker"))) == (0, None)
    give(project, cast.finance, "5", key="p2", quarter=NEXT)
    assert balance_of(planned).available == -90
    before = LedgerEntry.objects.count()
    with pytest.raises(WrongState, check=has_code("less_than_below")):
        give(team, cast.finance, "54.99", key="t", quarter=NEXT)
    assert LedgerEntry.objects.count() == before
    give(team, cast.finance, "55", key="t", quarter=NEXT)
    assert (balance_of(planned).allocated_below, account_above(account(NEXT, "ranker"))) == (55, planned)
    assert on_the_database(planned) == balance_of(planned).available == -90


def test_a_quarter_that_was_only_planned_ends_without_an_expiry(cast: Cast, team: Team, given: BudgetAccount) -> None:
    approve(team, cast.approver)
    quarter_end.close_quarters(now=datetime(2027, 4, 1, tzinfo=UTC))
    assert [row.account.quarter for row in LedgerEntry.objects.filter(kind="expire")] == [PRESENT]
    assert (account(NEXT).closed_at is None, account(AFTER).closed_at) == (False, None)
    assert balance_of(account(NEXT)).committed == 90


def test_a_team_without_a_place_gets_one_with_its_first_plan(cast: Cast, team: Team) -> None:
    budgets.commit(
        team=team,
        quarter=PRESENT,
        amounts={},
        later={NEXT: {BudgetUnit.USD: D(1), BudgetUnit.GPU_H: D(0)}},
        ref=REF,
        key="k",
        by=cast.approver,
        now=NOW,
    )
    assert [str(row) for row in BudgetAccount.objects.all()] == ["Search 2027Q1 USD"]


@pytest.mark.django_db(transaction=True)
def test_an_allocation_and_an_approval_that_open_the_same_account_never_wait_in_a_circle() -> None:
    finance = make_person("finance", Role.FINANCE, now=NOW)
    teams = [make_team(slug=f"t{number}", now=NOW) for number in range(12)]
    for each in teams:
        give(each, finance, "40", key=each.slug)

    def spend() -> int:
        for each in teams:
            approve(each, finance, ref=f"MRR-{each.slug}")
        return len(teams)

    def budget() -> int:
        for each in teams:
            for quarter in (NEXT, AFTER):
                give(each, finance, "100", key=f"{each.slug}:{quarter}", quarter=quarter)
        return len(teams)

    assert together([spend, budget]) == [12, 12]
    for each in teams:
        assert [balance_of(account(quarter, each.slug)).available for quarter in (PRESENT, NEXT, AFTER)] == [0, 10, 30]
    assert first_broken() is None
