"""At which share of a budget people are told."""

from decimal import Decimal

import pytest

from governance.budgets.domain.budget_levels import level_reached
from governance.budgets.domain.ledger import Balance


@pytest.mark.parametrize(
    ("spent", "level"), [("0", None), ("79.99", None), ("80", 80), ("99.99", 80), ("100", 100), ("255", 100)]
)
def test_the_level_is_the_share_of_the_own_budget(spent: str, level: int | None) -> None:
    assert level_reached(Balance(Decimal(100), spent=Decimal(spent))) == level
    delegated = Balance(Decimal(600), reserved=Decimal(spent), allocated_below=Decimal(500))
    assert level_reached(delegated) == level


@pytest.mark.parametrize("allocated", ["0", "-5"])
def test_an_account_without_a_budget_has_no_level(allocated: str) -> None:
    assert level_reached(Balance(Decimal(allocated), spent=Decimal(10))) is None
    assert level_reached(Balance(Decimal(10), allocated_below=Decimal(10))) is None
