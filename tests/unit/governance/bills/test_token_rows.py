"""Rows of tokens of a bill: the price of a million of them, without what a discount or rounding left."""

from datetime import date
from decimal import Decimal

import pytest

from governance.bills.domain.quantities.token_rows import TokenRow


def row(tokens, effective="1", remainder="0", **changes):
    usual = {"month": date(2026, 11, 1), "is_named": True, "model": "openai/gpt-5-mini", "snapshot": "", "subject": ""}
    usual |= {"direction": "output", "cache_action": "uncached", "model_requests": Decimal(1), "apart": {}}
    usual |= {"meters": (), "is_generated": False, "effective": Decimal(effective), "remainder": Decimal(remainder)}
    return TokenRow(tokens=Decimal(tokens), **usual | changes)


def test_the_price_of_a_million_leaves_the_remainder_out():
    assert row(2_500_000, "5.03", "0.03").usd_per_million == Decimal("2.000000")
    assert row(3, "0.000002").usd_per_million == Decimal("0.666667")


def test_a_charge_without_tokens_has_no_price_of_a_million():
    assert row(0, "12.50").usd_per_million is None


@pytest.mark.parametrize("missing", ["model", "direction"])
def test_a_row_is_matched_by_model_and_direction(missing):
    assert row(1).is_matched
    assert not row(1, **{missing: ""}).is_matched
