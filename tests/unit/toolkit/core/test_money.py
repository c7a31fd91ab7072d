from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.core.money import format_amount, format_usd, usd


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.005", "1.00"),
        ("1.015", "1.02"),
        ("1.025", "1.02"),
        (Decimal("-0.001"), "0.00"),
        (3, "3.00"),
        (" 12.5 ", "12.50"),
        ("-7.999", "-8.00"),
    ],
)
def test_amounts_are_rounded_to_cents_half_to_even(value, expected):
    assert str(usd(value)) == expected


@pytest.mark.parametrize("value", [1.0, True, None, "ten", "NaN", "Infinity", "1e15", Decimal("sNaN")])
def test_what_is_no_exact_amount_is_refused(value):
    with pytest.raises(Invalid, match="amount"):
        usd(value)


def test_amounts_in_words():
    assert format_usd("1250") == "1,250.00 USD"
    assert format_amount(Decimal(1250), unit="USD") == "1,250.00 USD"
    assert format_amount(Decimal("120.5"), unit="gpu_h") == "120.50 GPU hours"
    assert format_amount(Decimal(2), unit="MB") == "2.00 MB"


@given(st.lists(st.integers(-(10**12), 10**12), max_size=20))
def test_cents_add_up_exactly(cents):
    assert sum((usd(Decimal(each) / 100) for each in cents), Decimal(0)) == Decimal(sum(cents)) / 100
