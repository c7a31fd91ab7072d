"""What bills do to an account, where it is heading, what it delegates, and what a change of it books."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from governance.budgets.domain.actuals import Stated, check_period, restate
from governance.budgets.domain.amounts import check_amount, check_hundredths
from governance.budgets.domain.budget_changes import AccountPlace, Aspect, check_places, move, new_amount
from governance.budgets.domain.cost_centers import CenterLevel, check_parent
from governance.budgets.domain.delegation import check_can_delegate, check_covers_delegated
from governance.budgets.domain.ledger import (
    Balance,
    BudgetMode,
    EntryKind,
    Holding,
    LedgerLine,
    balance,
    changes_of_available,
    check_available,
    check_entry,
    check_open,
    holding_of,
    holdings,
    release_entry,
)
from governance.budgets.domain.quarter_forecast import excess, forecast, overrun
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.errors import Invalid, WrongState

D = Decimal
Q4 = Quarter.parse("2026Q4")
REF, OTHER = "MRR-1", "MRR-2"


def entry(kind, amount, ref=None, key="k", **more):
    return LedgerLine(EntryKind(kind), D(str(amount)), ref, key, **more)


def billed(amount, ref=REF, period="2026-10", kind="actual"):
    return entry(kind, amount, ref, period=period)


BOOK = [entry("allocate", 1000), entry("commit", 300, REF), entry("reserve", 50, OTHER)]


def test_a_bill_draws_the_commitment_down_and_leaves_the_rest_as_it_was():
    now = balance([*BOOK, billed(120)])
    assert now == Balance(D(1000), reserved=D(50), committed=D(180), spent=D(120))
    assert (now.available, now.used) == (650, 350)
    assert balance(BOOK).available == 650
    assert holding_of([*BOOK, billed(120)], ref=REF) == Holding(committed=D(300), spent=D(120))


def test_a_bill_beyond_the_commitment_comes_off_the_account():
    assert balance([*BOOK, billed(310)]).available == 640
    assert balance([*BOOK, billed(310)]).committed == 0


def test_a_bill_without_a_request_comes_off_the_account():
    now = balance([*BOOK, billed(70, ref=None)])
    assert (now.available, now.unbound, now.spent, now.committed) == (580, 70, 70, 300)


def test_a_released_commitment_is_free_again_and_a_released_reservation_stays_apart():
    book = [*BOOK, billed(120)]
    (left,) = release_entry(book, ref=REF, key="x")
    assert left == entry("release", 180, REF, "x", is_commitment=True)
    now = balance([*book, left])
    assert (now.available, now.committed, now.reserved) == (830, 0, 50)
    assert release_entry([*book, left], ref=REF, key="y") == ()
    (gone,) = release_entry(book, ref=REF, key="x", kind=EntryKind.EXPIRE)
    assert gone == entry("expire", 180, REF, "x", is_commitment=True)
    assert balance([*book, gone]) == now
    assert changes_of_available([*book, gone])[-1] == 180
    assert release_entry(book, ref="MRR-9", key="y") == ()


def test_what_is_delegated_expired_or_transferred_is_not_available():
    book = [*BOOK, entry("transfer", -100), entry("transfer", 30), entry("expire", 10)]
    now = balance(book, allocated_below=D(200))
    assert (now.allocated, now.allocated_below, now.available) == (920, 200, 370)


def test_the_changes_of_what_is_available_add_up():
    book = [
        *BOOK,
        entry("release", 50, OTHER),
        billed(290),
        billed(30, period="2026-11"),
        billed(5, ref=None),
        entry("expire", 1),
    ]
    changes = changes_of_available(book)
    assert changes == [1000, -300, -50, 50, 0, -20, -5, -1]
    assert sum(changes) == balance(book).available
    assert holdings(book)[None] == Holding(spent=D(5))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (entry("allocate", 1, REF), "request_ref"),
        (entry("transfer", 1, REF), "request_ref"),
        (entry("expire", 1, REF), "request_ref"),
        (entry("expire", 1, is_commitment=True), "request_ref"),
        (entry("allocate", 1, REF, is_commitment=True), "is_commitment"),
        (entry("commit", 1), "request_ref"),
        (entry("release", 1), "request_ref"),
        (entry("transfer", 0), "amount"),
        (entry("expire", -1), "amount"),
        (entry("commit", -1, REF), "amount"),
        (entry("release", 0, REF), "amount"),
        (billed("Infinity"), "amount"),
        (entry("actual", 1, REF), "period"),
        (entry("reserve", 1, REF, period="2026-10"), "period"),
        (entry("commit", 1, REF, is_commitment=True), "is_commitment"),
    ],
)
def test_an_entry_that_lacks_what_its_kind_needs_is_refused(bad, field):
    with pytest.raises(Invalid) as refusal:
        check_entry(bad)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "sound",
    [
        entry("allocate", -1),
        entry("transfer", -1),
        entry("expire", 1),
        billed(0),
        billed(-3),
        billed(1, ref=None),
        billed(1, kind="accrual"),
        billed(-1, kind="correction"),
        entry("release", 1, REF, is_commitment=True),
        entry("expire", 1, REF, is_commitment=True),
    ],
)
def test_a_sound_entry_is_let_in(sound):
    check_entry(sound)


def test_a_closed_account_takes_no_more_promises():
    check_open(is_closed=False, account="a")
    with pytest.raises(WrongState, match="a is closed: its quarter is over") as refusal:
        check_open(is_closed=True, account="a")
    assert refusal.value.code == "closed"


def test_each_mode_says_what_it_does():
    assert [mode.words for mode in BudgetMode] == [
        "All amounts are booked without a check.",
        "Amounts above the budget are booked and raise a finding.",
        (
            "Amounts above the budget are refused. Only amounts that an approval plans for a "
            "later quarter are booked and raise a finding."
        ),
    ]


# bills


def stated(amount, period="2026-10", ref=REF, is_estimate=False):
    return Stated(period=period, amount=D(str(amount)), request_ref=ref, is_estimate=is_estimate)


def say(book, *statements):
    """The amounts booked for each statement, by kind."""
    said = []
    for number, each in enumerate(statements):
        new = restate(book, stated=each, key=f"k{number}")
        assert new[-1].key == f"k{number}"
        book += new
        said.append([(one.kind.value, one.amount) for one in new])
    return said


def test_a_first_bill_is_an_actual_and_a_restated_one_a_correction_of_the_difference():
    book = list(BOOK)
    assert say(book, stated(100), stated("90.50"), stated("90.50"), stated(0)) == [
        [("actual", 100)],
        [("correction", D("-9.50"))],
        [("correction", 0)],
        [("correction", D("-90.50"))],
    ]
    assert holding_of(book, ref=REF).spent == 0


def test_an_accrual_is_taken_back_by_the_bill_and_says_nothing_after_it():
    book = list(BOOK)
    assert say(
        book, stated(80, is_estimate=True), stated(85, is_estimate=True), stated(100), stated(7, is_estimate=True)
    ) == [
        [("accrual", 80)],
        [("accrual", 5)],
        [("accrual", -85), ("actual", 100)],
        [("accrual", 0)],
    ]
    assert holding_of(book, ref=REF).spent == 100


def test_months_and_requests_stand_apart():
    book = list(BOOK)
    said = say(
        book, stated(10), stated(20, period="2026-11"), stated(5, ref=OTHER), stated(3, ref=""), stated(4, ref="")
    )
    assert [each[0][0] for each in said] == ["actual", "actual", "actual", "actual", "correction"]
    assert {ref: held.spent for ref, held in holdings(book).items()} == {REF: 30, OTHER: 5, None: 4}


@pytest.mark.parametrize("period", ["2026-13", "2026-00", "2026Q4", "202610", "2026-1", ""])
def test_what_is_no_month_is_refused(period):
    with pytest.raises(Invalid, match="Write it like 2026-10") as refusal:
        check_period(period)
    assert refusal.value.field == "period"


def test_a_month_is_let_in():
    check_period("2026-12")


# outlook


@pytest.mark.parametrize(
    ("now", "today", "expected"),
    [
        (Balance(D(1000), committed=D(200), spent=D(100)), date(2026, 10, 23), "300.00"),
        (Balance(D(1000), spent=D(46), unbound=D(46)), date(2026, 11, 15), "92.00"),  # 46 of 92 days
        (Balance(D(1000), spent=D(46), unbound=D(46)), date(2026, 12, 31), "46.00"),
        (Balance(D(1000), spent=D(46), unbound=D(46)), date(2027, 3, 1), "46.00"),
        (Balance(D(1000), spent=D(46), unbound=D(46)), date(2026, 9, 1), "46.00"),
        (Balance(D(1000), spent=D(-5), unbound=D(-5)), date(2026, 11, 15), "-5.00"),
        (Balance(D(1000), reserved=D(500), spent=D(1), unbound=D(1)), date(2026, 10, 3), "30.67"),
    ],
)
def test_the_forecast_adds_what_is_committed_and_the_pace_of_the_rest(now, today, expected):
    assert str(forecast(now, quarter=Q4, today=today)) == expected


@pytest.mark.parametrize(
    ("granted", "spent", "tolerance", "expected"),
    [
        (100, 110, 10, 0),
        (100, "110.01", 10, "10.01"),
        (100, 90, 0, 0),
        (0, "0.01", 10, "0.01"),
        (0, 0, 10, 0),
        (-5, 1, 10, 6),
    ],
)
def test_more_than_the_tolerance_is_told(granted, spent, tolerance, expected):
    assert excess(granted=D(granted), spent=D(spent), tolerance_percent=tolerance) == D(expected)


def test_a_request_runs_over_in_the_quarter_that_was_billed():
    book = [entry("plan", 100, REF), billed(110)]
    assert overrun(holding_of(book, ref=REF), tolerance_percent=10) == 0
    assert overrun(holding_of([*book, billed("0.01")], ref=REF), tolerance_percent=10) == D("10.01")
    assert overrun(holding_of(book, ref=OTHER), tolerance_percent=0) == 0


# the tree


@pytest.mark.parametrize("level", CenterLevel)
@pytest.mark.parametrize("parent", [None, *CenterLevel])
def test_what_hangs_under_what(level, parent):
    allowed = {
        (CenterLevel.ORGANIZATION, None),
        (CenterLevel.UNIT, CenterLevel.ORGANIZATION),
        (CenterLevel.TEAM, CenterLevel.ORGANIZATION),
        (CenterLevel.TEAM, CenterLevel.UNIT),
        (CenterLevel.PROJECT, CenterLevel.TEAM),
    }
    if (level, parent) in allowed:
        check_parent(level=level, parent=parent)
        return
    with pytest.raises(Invalid) as refusal:
        check_parent(level=level, parent=parent)
    assert refusal.value.field == "parent"


def test_an_account_hands_out_what_it_holds_and_not_a_cent_more():
    holds = Balance(D(100), reserved=D(30), allocated_below=D(20))
    check_can_delegate(holds, amount=D(50), unit="USD", account="a", enforces=True)
    check_can_delegate(holds, amount=D(80), unit="USD", account="a", enforces=False)
    for amount, enforces, free in (("50.01", True, "50.00"), ("80.01", False, "80.00")):
        with pytest.raises(WrongState, match=f"a has {free} USD left to delegate") as refusal:
            check_can_delegate(holds, amount=D(amount), unit="USD", account="a", enforces=enforces)
        assert (refusal.value.code, refusal.value.field) == ("over_parent", "amount")


def test_an_account_keeps_what_it_delegated_and_where_it_enforces_what_is_promised():
    holds = Balance(D(100), reserved=D(30), allocated_below=D(20))
    check_covers_delegated(holds, amount=D(-50), unit="USD", account="a", enforces=True)
    check_covers_delegated(holds, amount=D(-80), unit="USD", account="a", enforces=False)
    check_covers_delegated(Balance(D(0), reserved=D(9)), amount=D(1), unit="USD", account="a", enforces=True)
    for amount, enforces, code in (("-50.01", True, "over_budget"), ("-80.01", False, "less_than_below")):
        with pytest.raises(WrongState) as refusal:
            check_covers_delegated(holds, amount=D(amount), unit="USD", account="a", enforces=enforces)
        assert (refusal.value.code, refusal.value.field) == (code, "amount")


# changes

HERE = AccountPlace("search", "2026Q4", "USD")


@pytest.mark.parametrize(
    ("aspect", "target"),
    [
        ("amount", None),
        ("date", AccountPlace("search", "2027Q1", "USD")),
        ("account", AccountPlace("ads", "2026Q4", "USD")),
    ],
)
def test_a_change_of_one_thing_is_let_in(aspect, target):
    check_places(aspect=Aspect(aspect), source=HERE, target=target)


@pytest.mark.parametrize(
    ("aspect", "target"),
    [
        ("amount", AccountPlace("ads", "2026Q4", "USD")),
        ("date", None),
        ("account", None),
        ("date", HERE),
        ("account", HERE),
        ("date", AccountPlace("ads", "2027Q1", "USD")),
        ("account", AccountPlace("ads", "2027Q1", "USD")),
        ("account", AccountPlace("ads", "2026Q4", "gpu_h")),
    ],
)
def test_a_change_of_two_things_is_refused(aspect, target):
    with pytest.raises(Invalid) as refusal:
        check_places(aspect=Aspect(aspect), source=HERE, target=target)
    assert refusal.value.field == "target"


@pytest.mark.parametrize(
    ("ref", "amount", "expected"),
    [
        ("", 1200, entry("allocate", 200)),
        ("", 900, entry("allocate", -100)),
        (REF, 320, entry("commit", 20, REF)),
        (REF, 120, entry("release", 180, REF, is_commitment=True)),
    ],
)
def test_a_new_amount_books_the_difference(ref, amount, expected):
    assert new_amount([*BOOK, billed(120)], ref=ref, amount=D(amount), key="k") == expected


@pytest.mark.parametrize(
    ("ref", "amount", "code"),
    [("", 1000, "no_change"), (REF, 300, "no_change"), (REF, 119, "billed"), (OTHER, 60, "not_committed")],
)
def test_a_new_amount_that_cannot_be_is_refused(ref, amount, code):
    with pytest.raises(WrongState) as refusal:
        new_amount([*BOOK, billed(120)], ref=ref, amount=D(amount), key="k")
    assert refusal.value.code == code


def test_a_move_takes_here_and_puts_there():
    assert move(BOOK, ref="", amount=D(5), key="k") == (
        entry("transfer", -5, None, "k:out"),
        entry("transfer", 5, None, "k:in"),
    )
    assert move([*BOOK, billed(120)], ref=REF, amount=D(180), key="k") == (
        entry("release", 180, REF, "k:out", is_commitment=True),
        entry("commit", 180, REF, "k:in"),
    )
    with pytest.raises(WrongState, match="180 committed and not yet billed") as refusal:
        move([*BOOK, billed(120)], ref=REF, amount=D("180.01"), key="k")
    assert refusal.value.code == "not_committed"


def test_amounts_the_ledger_keeps():
    check_amount(D("0.01"))
    check_hundredths(D("-99999999999999.99"))
    for bad in ("NaN", "-Infinity", "1E14", "0.001"):
        with pytest.raises(Invalid) as refusal:
            check_hundredths(D(bad))
        assert refusal.value.field == "amount"


# any sequence

CENTS = st.integers(1, 3000)
REFS = st.sampled_from([REF, OTHER])
MONTHS = st.sampled_from(["2026-10", "2026-11"])


class AnAccount(RuleBasedStateMachine):
    """Whatever is done to an enforcing account: nothing promised exceeds it but plans, bills add up to what was last
    stated of each month, and the parts of the balance make the whole. The oracle counts in whole cents and knows no
    ledger.
    """

    def __init__(self):
        super().__init__()
        self.book, self.keys = [], 0
        self.given, self.held, self.promised, self.bills = 0, {}, {}, {}

    def add(self, *entries):
        for each in entries:
            check_entry(each)
        self.book += entries

    def key(self):
        self.keys += 1
        return str(self.keys)

    def taken(self, ref):
        spent = sum(cents for (who, _), cents in self.bills.items() if who == ref)
        promised = self.promised.get(ref, 0)
        return self.held.get(ref, 0) + max(0, promised - max(spent, 0)) + spent

    @property
    def free(self):
        return (
            self.given
            - sum(self.taken(ref) for ref in (REF, OTHER))
            - sum(cents for (who, _), cents in self.bills.items() if who == "")
        )

    @rule(cents=CENTS)
    def allocate(self, cents):
        self.add(entry("allocate", D(cents) / 100))
        self.given += cents

    @rule(ref=REFS, cents=CENTS)
    def reserve(self, ref, cents):
        try:
            check_available(balance(self.book), amount=D(cents) / 100, unit="USD", account="a")
        except WrongState:
            assert cents > self.free
            return
        assert cents <= self.free
        self.add(entry("reserve", D(cents) / 100, ref))
        self.held[ref] = self.held.get(ref, 0) + cents

    @precondition(lambda self: any(self.held.values()))
    @rule(ref=REFS)
    def commit_what_is_reserved(self, ref):
        if cents := self.held.get(ref, 0):
            self.add(
                entry("release", D(cents) / 100, ref, self.key()), entry("commit", D(cents) / 100, ref, self.key())
            )
            self.held[ref], self.promised[ref] = 0, self.promised.get(ref, 0) + cents

    @rule(ref=REFS, cents=CENTS)
    def plan(self, ref, cents):
        """From an earlier quarter: nobody asks whether the account can bear it."""
        self.add(entry("plan", D(cents) / 100, ref))
        self.promised[ref] = self.promised.get(ref, 0) + cents

    @rule(ref=st.sampled_from([REF, OTHER, ""]), month=MONTHS, cents=st.integers(0, 3000), is_estimate=st.booleans())
    def bill(self, ref, month, cents, is_estimate):
        was_billed = any(
            e.kind is EntryKind.ACTUAL and e.period == month and (e.request_ref or "") == ref for e in self.book
        )
        statement = Stated(period=month, amount=D(cents) / 100, request_ref=ref, is_estimate=is_estimate)
        self.add(*restate(self.book, stated=statement, key=self.key()))
        if not (is_estimate and was_billed):
            self.bills[ref, month] = cents

    @rule(ref=REFS, kind=st.sampled_from([EntryKind.RELEASE, EntryKind.EXPIRE]))
    def end(self, ref, kind):
        self.add(*release_entry(self.book, ref=ref, key=self.key(), kind=kind))
        spent = sum(cents for (who, _), cents in self.bills.items() if who == ref)
        self.promised[ref] = min(self.promised.get(ref, 0), max(spent, 0))

    @invariant()
    def the_whole_is_what_the_oracle_counts(self):
        now = balance(self.book)
        assert now.available * 100 == self.free
        assert now.spent * 100 == sum(self.bills.values())
        assert now.reserved * 100 == sum(self.held.values())
        assert min(now.reserved, now.committed) >= 0
        assert sum(changes_of_available(self.book)) == now.available


AnAccount.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
test_any_sequence_on_an_account = AnAccount.TestCase
