"""A budget with everything below it: nothing counts twice, and what one has left does not hide another's overrun."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.budget_levels import level_reached
from governance.budgets.domain.ledger import Balance, EntryKind, LedgerLine, allocated, balance, expired
from governance.budgets.domain.roll_up import RolledUp, roll_up, with_below

AMOUNTS = st.decimals(0, 1000, places=2)


def leaf(name, allocated, spent):
    own = Balance(Decimal(allocated), spent=Decimal(spent))
    return name, own, roll_up(own, [])


def test_a_parent_that_delegated_everything_is_not_at_zero_while_a_child_is_over():
    over, under = leaf("Support", 100, 255), leaf("Fraud", 100, 40)
    own = Balance(Decimal(200), allocated_below=Decimal(200))
    found = roll_up(own, [over, under])
    assert own.available == 0
    assert (found.whole.allocated, found.whole.spent, found.whole.available) == (200, 295, -95)
    assert (found.over, found.names_over) == (Decimal(155), ("Support",))
    above = roll_up(None, [("Unit", own, found)])
    assert (above.whole, above.over, above.names_over) == (found.whole, found.over, found.names_over)


def test_an_account_without_any_below_is_itself():
    own = Balance(Decimal(10), Decimal(1), Decimal(2), Decimal(3), Decimal(1), withheld=Decimal(1))
    assert roll_up(own, []) == RolledUp(own)
    assert roll_up(None, []) == RolledUp(Balance(Decimal(0)), has_account=False)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=5), AMOUNTS, AMOUNTS)
def test_used_is_what_everybody_used(children, spare, spent):
    below = [leaf(str(place), *each) for place, each in enumerate(children)]
    delegated = sum(each[0] for each in children)
    own = Balance(delegated + spare, spent=spent, allocated_below=delegated)
    found = roll_up(own, below)
    assert found.whole.used == spent + sum(each[1] for each in children)
    assert found.whole.available == own.available + sum(balance.available for _, balance, _ in below)
    assert found.over == sum(max(spent - allocated, 0) for allocated, spent in children)


def booked(kind, amount, period=""):
    return LedgerLine(kind, amount, None, "key", period=period)


@given(AMOUNTS, AMOUNTS, *[st.lists(AMOUNTS, max_size=3)] * 4)
def test_the_close_of_a_quarter_changes_no_share_and_no_overrun(spare, delegated, own, below, own_late, below_late):
    """Of an account and of the one above it, whatever is billed before the close and after it."""

    def rolled(closes):
        lower, upper = [booked(EntryKind.ALLOCATE, delegated)], [booked(EntryKind.ALLOCATE, delegated + spare)]
        for bills, late, entries in ((below, below_late, lower), (own, own_late, upper)):
            entries.extend(booked(EntryKind.ACTUAL, amount, "2026-08") for amount in bills)
            given_below = {"allocated_below": allocated(lower), "expired_below": expired(lower)}
            left = balance(entries, **(given_below if entries is upper else {})).available
            after = [booked(EntryKind.EXPIRE, left)] if closes and left > 0 else []
            entries.extend([*after, *(booked(EntryKind.ACTUAL, amount, "2026-09") for amount in late)])
        leaf = balance(lower)
        top = balance(upper, allocated_below=allocated(lower), expired_below=expired(lower))
        found = roll_up(top, [("Leaf", leaf, roll_up(leaf, []))])
        figures = [(each.budget, each.own_budget, each.over) for each in (leaf, top)]
        return figures, found.whole.budget, found.whole.used, found.whole.over, found.over, level_reached(top)

    assert rolled(closes=True) == rolled(closes=False)


def test_sums_over_a_tree():
    tree = [(1, None), (2, 1), (3, 2), (4, 1)]
    found = with_below(tree, {3: Decimal(5), 1: Decimal(1)})
    assert found == {1: Decimal(6), 2: Decimal(5), 3: Decimal(5), 4: Decimal(0)}
