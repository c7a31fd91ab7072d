"""Numbers on paper: exact spellings, and bounds that never shrink."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.requests.domain.wording import bytes_words, interval_text, number_text, value_words
from weighbridge.core.metrics.units import unit_words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("41.8317", "ms", "41.83"),
        ("0.904137", "ratio", "0.9041"),
        ("0.90", "ratio", "0.9"),
        ("0", "ms", "0"),
        ("-0.0213", "ratio", "-0.0213"),
        ("1234567.8", "MB", "1,234,568"),
        ("100", "ms", "100"),
        ("1.2E+3", "gpu_h", "1,200"),
        ("1840", "USD", "1,840.00"),
        ("0", "USD", "0.00"),
        ("0.004217", "USD", "0.004217"),
        ("-12.345", "USD", "-12.34"),
        ("1E+16", "ms", "1E+16"),
        ("NaN", "ms", "NaN"),
    ],
)
def test_number_text(value: str, unit: str, words: str) -> None:
    assert number_text(Decimal(value), unit=unit) == words


@pytest.mark.parametrize(
    ("unit", "words"), [("gpu_h", "GPU h"), ("1/s", "per s"), ("ratio", ""), ("ms", "ms"), ("USD", "USD")]
)
def test_unit_words(unit: str, words: str) -> None:
    assert unit_words(unit) == words


def test_value_words_leaves_no_blank_after_a_ratio() -> None:
    assert value_words(Decimal("0.9"), unit="ratio") == "0.9"
    assert value_words(Decimal("41.8317"), unit="ms") == "41.83 ms"


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        ("40.1027", "43.9012", "40.1 to 43.91"),
        (None, "190.2", "at most 190.2"),
        ("3.21579", None, "at least 3.215"),
        (None, None, ""),
    ],
)
def test_interval_words(lower: str | None, upper: str | None, words: str) -> None:
    low, high = (Decimal(bound) if bound else None for bound in (lower, upper))
    assert interval_text(lower=low, upper=high, unit="ms") == words


@given(st.decimals(-(10**9), 10**9, places=6), st.decimals(0, 10**6, places=6), st.sampled_from(["ms", "USD", "ratio"]))
def test_the_printed_interval_contains_the_computed_one(lower: Decimal, width: Decimal, unit: str) -> None:
    upper = lower + width
    low, _, high = interval_text(lower=lower, upper=upper, unit=unit).replace(",", "").partition(" to ")
    assert Decimal(low) <= lower <= upper <= Decimal(high)


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_213_884, "4.2 MB"), (7_100_000_000_000_000, "7100.0 TB")],
)
def test_bytes_words(size_bytes: int, words: str) -> None:
    assert bytes_words(size_bytes) == words
