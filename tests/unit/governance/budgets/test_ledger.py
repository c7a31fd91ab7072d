from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.ledger import (
    Balance,
    EntryKind,
    LedgerLine,
    balance,
    check_available,
    check_entry,
    holding_of,
    open_of,
    release_entry,
)
from weighbridge.core.errors import Invalid, WrongState


def entry(kind, amount, ref=None, key="k"):
    return LedgerLine(EntryKind(kind), Decimal(amount), ref, key)


BOOK = [
    entry("allocate", 1000),
    entry("reserve", 300, "MRR-1"),
    entry("reserve", 200, "MRR-2"),
    entry("release", 50, "MRR-2"),
    entry("commit", 100, "MRR-3"),
]


def test_the_balance_adds_up():
    found = balance(BOOK)
    assert found == Balance(Decimal(1000), Decimal(450), Decimal(100))
    assert found.available == 450
    assert balance([]).available == 0


def test_reservations_by_request():
    assert holding_of(BOOK, ref="MRR-2").reserved == 150
    assert holding_of(BOOK, ref="MRR-9").reserved == 0


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (entry("allocate", 0), "amount"),
        (entry("reserve", -1, "MRR-1"), "amount"),
        (entry("allocate", "NaN"), "amount"),
        (entry("allocate", 1, "MRR-1"), "request_ref"),
        (entry("reserve", 1), "request_ref"),
    ],
)
def test_faulty_entries_are_refused(bad, field):
    with pytest.raises(Invalid) as refusal:
        check_entry(bad)
    assert refusal.value.field == field


def test_sound_entries_are_let_in():
    for each in BOOK:
        check_entry(each)


def test_an_account_bears_what_it_has_and_not_a_cent_more():
    check_available(balance(BOOK), amount=Decimal(450), unit="USD", account="vision 2026Q4")
    with pytest.raises(WrongState) as refusal:
        check_available(balance(BOOK), amount=Decimal("450.01"), unit="USD", account="vision 2026Q4")
    assert refusal.value.code == "over_budget"
    assert refusal.value.reason == (
        "vision 2026Q4 has 450.00 USD available, and this needs 450.01 USD: 0.01 USD too much. "
        "Lower the request, or ask a platform lead or finance to allocate more."
    )


moves = st.tuples(
    st.sampled_from(["allocate", "reserve", "commit", "release"]),
    st.decimals(min_value="0.01", max_value=1000, places=2),
    st.sampled_from(["MRR-1", "MRR-2", "MRR-3"]),
)


@given(st.lists(moves, max_size=40), st.sets(st.sampled_from(["MRR-1", "MRR-2", "MRR-3", "MRR-9"])))
def test_what_requests_have_open_is_what_their_release_makes_available(steps, refs):
    book = [entry(kind, amount, None if kind == "allocate" else ref) for kind, amount, ref in steps]
    book += [LedgerLine(EntryKind.ACTUAL, Decimal("7.50"), ref, "k", period="2026-10") for ref in sorted(refs)]
    given_back = [line for ref in sorted(refs) for line in release_entry(book, ref=ref, key="k")]
    after = balance([*book, *given_back])
    assert after.available == balance(book).available + open_of(book, refs=refs)
    assert open_of([*book, *given_back], refs=refs) == 0


@given(st.lists(moves, max_size=40))
def test_with_the_checks_no_account_is_ever_overdrawn(steps):
    book = []
    for kind, amount, ref in steps:
        try:
            match kind:
                case "allocate":
                    new = (entry(kind, amount),)
                case "reserve":
                    check_available(balance(book), amount=amount, unit="USD", account="a")
                    new = (entry(kind, amount, ref),)
                case "commit":
                    held = holding_of(book, ref=ref).reserved
                    given_back = (entry("release", held, ref),) * (held > 0)
                    check_available(balance([*book, *given_back]), amount=amount, unit="USD", account="a")
                    new = (*given_back, entry("commit", amount, ref))
                case _:
                    new = (entry(kind, min(amount, holding_of(book, ref=ref).reserved), ref),)
        except WrongState:
            continue
        book += new
        now = balance(book)
        assert now.available == now.allocated - now.reserved - now.committed
        assert now.available >= 0
        assert now.reserved == sum(holding_of(book, ref=each).reserved for each in ("MRR-1", "MRR-2", "MRR-3"))
        assert min(holding_of(book, ref=each).reserved for each in ("MRR-1", "MRR-2", "MRR-3")) >= 0
