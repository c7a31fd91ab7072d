"""The budget ledger: what is booked adds up, what is refused moves nothing, and no race ever overspends."""

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import budgets as read
from governance.budgets.queries.effects import BudgetEffect, effects
from governance.budgets.queries.ledger import account_for, quarters, statement_of
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from tests.factories.people import Cast, make_person, make_team
from tests.threads import PATIENCE_S, together
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
QUARTER, NEXT = "2026Q4", "2027Q1"
REF, OTHER = "MRR-2026-0001", "MRR-2026-0002"
D = Decimal


def allocate(
    team: Team,
    by: User,
    amount: str = "100",
    *,
    unit: BudgetUnit = BudgetUnit.USD,
    key: str = "k",
    quarter: str = QUARTER,
) -> LedgerEntry:
    return budgets.allocate(holder=team, quarter=quarter, unit=unit, amount=D(amount), key=key, by=by, now=NOW)


def reserve(team: Team, by: User, usd: str, *, gpu_h: str = "0", ref: str = REF, key: str = "r") -> None:
    amounts = {BudgetUnit.USD: D(usd), BudgetUnit.GPU_H: D(gpu_h)}
    budgets.reserve(team=team, quarter=QUARTER, amounts=amounts, ref=ref, key=key, by=by, now=NOW)


def commit(team: Team, by: User, usd: str, *, gpu_h: str = "0", ref: str = REF, key: str = "c") -> None:
    amounts = {BudgetUnit.USD: D(usd), BudgetUnit.GPU_H: D(gpu_h)}
    budgets.commit(team=team, quarter=QUARTER, amounts=amounts, ref=ref, key=key, by=by, now=NOW)


def lines() -> list[tuple[str, str, str, str]]:
    rows = LedgerEntry.objects.order_by("pk").select_related("account")
    return [(row.kind, row.account.unit, str(row.amount), row.request_ref) for row in rows]


def counts() -> tuple[int, int, int]:
    return LedgerEntry.objects.count(), AuditEvent.objects.count(), BudgetAccount.objects.count()


def test_finance_allocates_and_the_same_key_is_the_same_allocation(cast: Cast, team: Team) -> None:
    entry = allocate(team, cast.finance)
    assert (entry.booked_by, entry.booked_at, str(entry.account)) == (cast.finance, NOW, f"{team} 2026Q4 USD")
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject) == ("budget.allocate", f"{team} 2026Q4 USD")
    assert event.details == {"amount": "100", "unit": "USD", "request": ""}
    before = counts()
    assert allocate(team, cast.finance, "999") == entry
    assert counts() == before
    allocate(team, cast.finance, "50.25", key="more")
    (account,) = read.accounts(teams=["search"])
    assert (account.balance.allocated, account.balance.available) == (D("150.25"), D("150.25"))


def test_only_finance_allocates(cast: Cast, team: Team) -> None:
    before = counts()
    for person in cast.everybody():
        if person != cast.finance:
            with pytest.raises(NotAllowed, match="Only finance may allocate a budget"):
                allocate(team, person)
    assert counts() == before


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "more than zero"),
        ("-1", "more than zero"),
        ("NaN", "more than zero"),
        ("Infinity", "more than zero"),
        ("-Infinity", "more than zero"),
        ("100000000000000", "less than 100,000,000,000,000"),
        ("0.001", "more than two decimals"),
        ("10.005", "more than two decimals"),
    ],
)
def test_an_amount_the_ledger_cannot_keep_is_refused(cast: Cast, team: Team, amount: str, words: str) -> None:
    before = counts()
    with pytest.raises(Invalid, match=words) as refusal:
        allocate(team, cast.finance, amount)
    assert refusal.value.field == "amount"
    assert counts() == before


@pytest.mark.parametrize("amount", ["0.01", "9999999.99", "7.10"])
def test_an_amount_the_ledger_can_keep_is_kept_exactly(cast: Cast, team: Team, amount: str) -> None:
    allocate(team, cast.finance, amount)
    assert LedgerEntry.objects.get().amount == D(amount)


@pytest.mark.parametrize("quarter", ["2026Q5", "2026-Q4", "", "Q4"])
def test_a_quarter_that_is_none_is_refused(cast: Cast, team: Team, quarter: str) -> None:
    before = counts()
    with pytest.raises(Invalid):
        allocate(team, cast.finance, quarter=quarter)
    assert counts() == before


def test_a_request_reserves_commits_and_gives_back(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    allocate(team, cast.finance, "40", unit=BudgetUnit.GPU_H, key="g")
    reserve(team, cast.author, "60", gpu_h="30")
    commit(team, cast.approver, "55", gpu_h="35")
    assert lines() == [
        ("allocate", "USD", "100.00", ""),
        ("allocate", "gpu_h", "40.00", ""),
        ("reserve", "USD", "60.00", REF),
        ("reserve", "gpu_h", "30.00", REF),
        ("release", "USD", "60.00", REF),
        ("release", "gpu_h", "30.00", REF),
        ("commit", "USD", "55.00", REF),
        ("commit", "gpu_h", "35.00", REF),
    ]
    kinds = AuditEvent.objects.filter(kind__startswith="budget.").order_by("position").values_list("kind", flat=True)
    assert list(kinds) == [f"budget.{kind}" for kind, *_ in lines()]
    assert [str(row.balance.available) for row in read.accounts(teams=None)] == ["45.00", "5.00"]


def test_nothing_is_booked_for_an_amount_of_zero(cast: Cast, team: Team) -> None:
    reserve(team, cast.author, "0")
    commit(team, cast.approver, "0")
    assert lines() == []


def test_a_release_gives_back_everything_once(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    reserve(team, cast.author, "60")
    reserve(team, cast.author, "30", ref=OTHER, key="o")
    budgets.release(ref=REF, key="x", by=None, now=NOW)
    before = counts()
    budgets.release(ref=REF, key="y", by=cast.admin, now=NOW)
    budgets.release(ref="MRR-2026-9999", key="z", by=cast.admin, now=NOW)
    assert counts() == before
    assert lines()[-1] == ("release", "USD", "60.00", REF)
    assert AuditEvent.objects.latest("position").actor == "system"
    assert read.accounts(teams=None)[0].balance.available == D(70)


def test_what_is_not_there_is_refused_with_figures_and_nothing_moves(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    allocate(team, cast.finance, "10", unit=BudgetUnit.GPU_H, key="g")
    reserve(team, cast.author, "60")
    before = (lines(), counts())
    with pytest.raises(WrongState) as refusal:
        reserve(team, cast.author, "40.01", ref=OTHER, key="o")
    assert refusal.value.code == "over_budget"
    assert "has 40.00 USD available, and this needs 40.01 USD: 0.01 USD too much" in refusal.value.reason
    for action in (reserve, commit):
        with pytest.raises(WrongState, match=r"10\.00 GPU hours available"):
            action(team, cast.author, "40", gpu_h="10.01", ref=OTHER, key="o")
        with pytest.raises(WrongState, match=r"100\.01 USD"):
            action(team, cast.author, "100.01", key="again")
    assert (lines(), counts()) == before
    reserve(team, cast.author, "40", gpu_h="10", ref=OTHER, key="o")


def test_a_commitment_may_use_its_own_reservation_but_nobody_elses(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    reserve(team, cast.author, "60")
    reserve(team, cast.author, "30", ref=OTHER, key="o")
    with pytest.raises(WrongState, match=r"70\.00 USD available, and this needs 70\.01 USD"):
        commit(team, cast.approver, "70.01")
    assert [kind for kind, *_ in lines()] == ["allocate", "reserve", "reserve"]
    commit(team, cast.approver, "70")
    assert read.accounts(teams=None)[0].balance.available == 0


@pytest.mark.parametrize("action", [reserve, commit])
def test_a_team_without_an_account_is_told_whom_to_ask(cast: Cast, team: Team, action: partial[None]) -> None:
    allocate(team, cast.finance)
    before = (lines(), counts())
    with pytest.raises(Invalid) as refusal:
        action(team, cast.author, "1", gpu_h="5")
    assert refusal.value.code == "no_budget"
    assert refusal.value.reason == (
        "Search has no GPU hours budget for 2026Q4, and this request needs 5. Ask finance to allocate one."
    )
    assert (lines(), counts()) == before


def test_a_release_gives_back_from_every_quarter(cast: Cast, team: Team) -> None:
    for quarter in (QUARTER, NEXT):
        allocate(team, cast.finance, key=quarter, quarter=quarter)
        amounts = {BudgetUnit.USD: D(5)}
        budgets.reserve(team=team, quarter=quarter, amounts=amounts, ref=REF, key=quarter, by=cast.author, now=NOW)
    budgets.release(ref=REF, key="x", by=cast.author, now=NOW)
    assert [row.balance.reserved for row in read.accounts(teams=None)] == [0, 0]


def test_the_same_booking_twice_is_refused_by_the_database(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    reserve(team, cast.author, "10")
    before = (lines(), counts())
    with pytest.raises(IntegrityError), transaction.atomic():
        reserve(team, cast.author, "10")
    assert (lines(), counts()) == before


def test_the_database_refuses_what_no_action_would_write(cast: Cast, team: Team) -> None:
    account = allocate(team, cast.finance).account
    for fields in (
        {"amount": 0},
        {"amount": -101},
        {"kind": "steal"},
        {"key": "k"},
        {"request_ref": REF},
        {"period": "2026-10"},
        {"is_commitment": True},
        {"kind": "reserve"},
        {"kind": "plan"},
        {"kind": "plan", "request_ref": REF, "amount": 0},
        {"kind": "reserve", "request_ref": REF, "amount": -1},
        {"kind": "commit", "request_ref": REF, "amount": 101},
        {"kind": "expire", "amount": 101},
        {"kind": "expire", "request_ref": REF},
        {"kind": "expire", "is_commitment": True},
        {"kind": "commit", "request_ref": REF, "is_commitment": True},
        {"kind": "actual"},
        {"kind": "actual", "period": "2026-13"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerEntry.objects.create(
                **{"account": account, "kind": "allocate", "amount": 1, "key": "new", "booked_at": NOW} | fields
            )
    for fields in ({"quarter": "2026-4"}, {"unit": "EUR"}, {"quarter": QUARTER}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BudgetAccount.objects.create(**{"center": account.center, "quarter": "2026Q1", "unit": "USD"} | fields)


def test_what_approving_would_do_to_an_account(cast: Cast, team: Team) -> None:
    def effect(amount: str | None) -> BudgetEffect:
        amounts = None if amount is None else {QUARTER: {BudgetUnit.USD: D(amount)}}
        (found,) = effects(team=team, ref=REF, amounts=amounts, since=Quarter.parse(QUARTER), today=NOW.date())
        return found

    empty = effect("1")
    assert (empty.allocated, empty.available, empty.after, empty.is_affordable) == (0, 0, -1, False)
    allocate(team, cast.finance)
    reserve(team, cast.author, "60")
    reserve(team, cast.author, "30", ref=OTHER, key="o")
    found = effect("70")
    assert (found.allocated, found.available, found.this, found.after) == (100, 70, 70, 0)
    assert (found.reserved_by_others, found.committed, found.is_affordable) == (30, 0, True)
    assert not effect("70.01").is_affordable
    commit(team, cast.approver, "70")
    booked = effect(None)
    assert (booked.this, booked.available, booked.after, booked.committed) == (70, 70, 0, 0)
    assert (booked.granted, booked.billed, booked.remaining, booked.is_booked, booked.is_later) == (
        70,
        0,
        70,
        True,
        False,
    )


def test_which_accounts_are_listed(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    allocate(team, cast.finance, unit=BudgetUnit.GPU_H, key="g")
    allocate(team, cast.finance, quarter=NEXT, key="n")
    allocate(Team.objects.get(slug="ads"), cast.finance, key="a")
    found = [(row.team, row.quarter, row.unit) for row in read.accounts(teams=None)]
    assert found == [
        ("search", NEXT, "USD"),
        ("ads", QUARTER, "USD"),
        ("search", QUARTER, "USD"),
        ("search", QUARTER, "gpu_h"),
    ]
    assert [(row.team_name, row.quarter) for row in read.accounts(teams=["ads"])] == [("Ads", QUARTER)]
    assert [row.quarter for row in read.accounts(teams=["search"], quarter=NEXT)] == [NEXT]
    assert read.accounts(teams=[]) == []
    assert quarters() == [NEXT, QUARTER]


def test_a_statement_tells_what_each_booking_left(cast: Cast, team: Team) -> None:
    allocate(team, cast.finance)
    reserve(team, cast.author, "60")
    commit(team, cast.approver, "55")
    person = person_of(cast.author)
    account = account_for(team="search", quarter=QUARTER, unit="USD", person=person)
    said = statement_of(account, today=NOW.date())
    assert [(line.kind, line.change, line.available) for line in said.lines[:]] == [
        ("commit", D(-55), D(45)),
        ("release", D(60), D(100)),
        ("reserve", D(-60), D(40)),
        ("allocate", D(100), D(100)),
    ]
    assert said.balance.available == said.lines[:1][0].available
    with pytest.raises(Refused, match="has no gpu_h account for 2026Q4"):
        account_for(team="search", quarter=QUARTER, unit="gpu_h", person=person)


# A tiny oracle: one number per account and per reservation, no ledger.

CENTS = st.integers(0, 4000)
OPERATION = st.one_of(
    st.tuples(st.just("allocate"), st.sampled_from(list(BudgetUnit)), st.integers(1, 5000)),
    st.tuples(st.sampled_from(["reserve", "commit"]), st.sampled_from([REF, OTHER, "MRR-2026-0003"]), CENTS, CENTS),
    st.tuples(st.just("release"), st.sampled_from([REF, OTHER, "MRR-2026-0003"])),
)


class Oracle:
    """What is free in cents, per unit, and who holds how much."""

    def __init__(self) -> None:
        self.free: dict[BudgetUnit, int] = {}
        self.held: Counter[tuple[str, BudgetUnit]] = Counter()

    def give_back(self, ref: str, free: dict[BudgetUnit, int]) -> dict[BudgetUnit, int]:
        return {unit: amount + self.held[ref, unit] for unit, amount in free.items()}

    def allocate(self, unit: BudgetUnit, cents: int) -> bool:
        self.free[unit] = self.free.get(unit, 0) + cents
        return True

    def release(self, ref: str) -> bool:
        self.free = self.give_back(ref, self.free)
        for unit in BudgetUnit:
            self.held[ref, unit] = 0
        return True

    def reserve(self, ref: str, usd: int, gpu_h: int) -> bool:
        wanted = {BudgetUnit.USD: usd, BudgetUnit.GPU_H: gpu_h}
        if any(cents > 0 and self.free.get(unit, -1) < cents for unit, cents in wanted.items()):
            return False
        for unit, cents in wanted.items():
            if cents:
                self.free[unit] -= cents
                self.held[ref, unit] += cents
        return True

    def commit(self, ref: str, usd: int, gpu_h: int) -> bool:
        wanted, free = {BudgetUnit.USD: usd, BudgetUnit.GPU_H: gpu_h}, self.give_back(ref, self.free)
        if any(cents > 0 and free.get(unit, -1) < cents for unit, cents in wanted.items()):
            return False
        self.release(ref)
        self.free = {unit: amount - wanted[unit] for unit, amount in self.free.items()}
        return True


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(operations=st.lists(OPERATION, max_size=14))
def test_any_sequence_agrees_with_a_tiny_oracle(cast: Cast, team: Team, operations: list[tuple]) -> None:
    oracle = Oracle()
    with transaction.atomic():
        for number, (word, *arguments) in enumerate(operations):
            before = counts()
            expected = getattr(oracle, word)(*arguments)
            assert perform(cast, team, number, word, arguments) == expected
            if not expected:
                assert counts() == before
        found = {BudgetUnit(row.unit): row.balance.available * 100 for row in read.accounts(teams=None)}
        assert found == oracle.free
        assert all(amount >= 0 for amount in found.values())
        transaction.set_rollback(True)


def perform(cast: Cast, team: Team, number: int, word: str, arguments: list) -> bool:
    key = f"op{number}"
    try:
        if word == "allocate":
            allocate(team, cast.finance, str(D(arguments[1]) / 100), unit=arguments[0], key=key)
        elif word == "release":
            budgets.release(ref=arguments[0], key=key, by=cast.author, now=NOW)
        else:
            ref, usd, gpu_h = arguments
            action = reserve if word == "reserve" else commit
            action(team, cast.author, str(D(usd) / 100), gpu_h=str(D(gpu_h) / 100), ref=ref, key=key)
    except Refused:
        return False
    return True


# Races.

THREADS, ROUNDS = 8, 50


@pytest.mark.django_db(transaction=True)
def test_eight_threads_in_fifty_rounds_spend_what_there_is_and_never_more() -> None:
    finance = make_person("finance", Role.FINANCE, now=NOW)
    teams = [make_team(slug=f"t{number}", now=NOW) for number in range(ROUNDS)]
    affordable = [number % (THREADS + 1) for number in range(ROUNDS)]
    for number, team in enumerate(teams):
        left_over = random.Random(number).randrange(1, 1000)  # cents, not enough for one more
        allocate(team, finance, str(affordable[number] * 10 + D(left_over) / 100), key=f"a{number}")
    barrier = Barrier(THREADS)

    def spender(name: int) -> list[bool]:
        won = []
        for number, team in enumerate(teams):
            barrier.wait(PATIENCE_S)
            action = (reserve, commit)[number % 2]
            won.append(spends(partial(action, team, finance, "10", ref=f"{number}-{name}", key=f"{number}:{name}")))
        return won

    def spends(booking: partial[None]) -> bool:
        try:
            booking()
        except WrongState:
            return False
        except Exception:
            barrier.abort()
            raise
        return True

    found = together([partial(spender, name) for name in range(THREADS)])
    assert all(isinstance(each, list) for each in found), found
    assert [sum(won) for won in zip(*found, strict=True)] == affordable
    for row in read.accounts(teams=None):
        assert 0 < row.balance.available < 10
    spent = LedgerEntry.objects.exclude(kind="allocate")
    assert spent.count() == sum(affordable)
    assert first_broken() is None


@pytest.mark.django_db(transaction=True)
def test_settling_across_quarters_in_opposite_directions_never_waits_in_a_circle() -> None:
    finance = make_person("finance", Role.FINANCE, now=NOW)
    team = make_team(now=NOW)
    for quarter in (QUARTER, NEXT):
        allocate(team, finance, "100000", key=quarter, quarter=quarter)

    def settle(name: int, source: str, target: str) -> int:
        for number in range(25):
            ref, key = f"{source}-{name}-{number}", f"{source}:{name}:{number}"
            amounts = {BudgetUnit.USD: D(1)}
            budgets.reserve(team=team, quarter=source, amounts=amounts, ref=ref, key=key, by=finance, now=NOW)
            budgets.commit(team=team, quarter=target, amounts=amounts, ref=ref, key=key, by=finance, now=NOW)
        return 25

    there = [partial(settle, name, QUARTER, NEXT) for name in range(2)]
    back = [partial(settle, name, NEXT, QUARTER) for name in range(2)]
    assert together(there + back) == [25] * 4
    assert [row.balance.committed for row in read.accounts(teams=None)] == [50, 50]
