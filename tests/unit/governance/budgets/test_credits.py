"""Credits: a bill gives back what was billed in its month, and never makes more available than people allocated."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.ledger import (
    EntryKind,
    LedgerLine,
    balance,
    changes_of_available,
    holding_of,
    release_entry,
)

D = Decimal
REF, OTHER = "MRR-1", "MRR-2"


def entry(kind, amount, ref=None, key="k", **more):
    return LedgerLine(EntryKind(kind), D(str(amount)), ref, key, **more)


def billed(amount, ref=REF, period="2026-10", kind="actual"):
    return entry(kind, amount, ref, period=period)


BOOK = [entry("allocate", 1000), entry("commit", 300, REF), entry("reserve", 50, OTHER)]
BILLS = st.builds(
    billed,
    st.integers(-(10**9), 10**9),
    ref=st.sampled_from([REF, OTHER, None]),
    period=st.sampled_from(["2026-10", "2026-11", "2026-12"]),
    kind=st.sampled_from(["actual", "accrual", "correction"]),
)


def test_a_credit_gives_back_what_was_billed_in_its_month_and_no_more():
    assert holding_of([*BOOK, billed(-20)], ref=REF).open == 300
    for ref in (REF, None):
        now = balance([*BOOK, billed(-20, ref=ref)])
        assert (now.available, now.spent, now.withheld) == (650, -20, 20)
    book = [*BOOK, billed(70, ref=None), billed(-50, ref=None, kind="correction")]
    assert (balance(book).available, balance(book).withheld) == (630, 0)
    beyond = [*book, billed(-1_000_000, ref=None, kind="correction")]
    assert (balance(beyond).available, balance(beyond).withheld) == (650, 999_980)
    other_month = [*book, billed(-1_000_000, ref=None, period="2026-11")]
    assert (balance(other_month).available, changes_of_available(other_month)[-1]) == (630, 0)
    assert changes_of_available(beyond)[-1] == 20


def test_a_credit_for_a_request_frees_no_more_than_it_committed():
    book = [*BOOK, billed(400), billed(-1_000, kind="correction")]
    now = balance(book)
    assert (now.available, now.committed, now.spent, now.withheld) == (650, 300, -600, 600)
    (left,) = release_entry(book, ref=REF, key="x")
    assert balance([*book, left]).available == 950
    assert release_entry([*book, left], ref=REF, key="y") == ()


@given(st.lists(BILLS, max_size=12))
def test_no_bills_at_all_make_more_available_than_was_allocated(bills):
    book = [*BOOK, *bills]
    now = balance(book)
    assert now.available <= now.allocated - now.reserved - now.committed <= 950
    assert sum(changes_of_available(book)) == now.available
    assert now.spent == sum((each.amount for each in bills), D(0))
    assert holding_of(book, ref=REF).counted >= 0
