"""Numbers, amounts and times as readers see them: exact texts."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.site.templatetags import weighbridge as tags
from governance.site.web import formatting as f

MINUS = "\N{MINUS SIGN}"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "decimals"),
    [
        ("12.4137", "12.05", "12.97", 2),
        ("12.4137", "12", "25", 0),
        ("0.9127", "0.9071", "0.9181", 3),
        ("1", "0.9999999999", "1.0000000001", 6),
        ("12.4137", None, None, 1),
        ("12.4137", "12.4137", "12.4137", 1),
        ("12", None, None, 0),
        ("0", None, None, 0),
        ("0.001234", None, None, 5),
        ("123456.789", None, None, 0),
        ("0.0000000123", None, None, 8),
        ("0.301", "0", "11", 2),
        ("0.1", "0", "11", 1),
        ("0", "0", "11", 0),
        ("12.4", "0", "1100", 0),
        ("1E-15", None, None, 12),
    ],
)
def test_digits_follow_the_knowledge(value, lower, upper, decimals):
    bounds = {"lower": lower and Decimal(lower), "upper": upper and Decimal(upper)}
    assert f.decimals_for(Decimal(value), **bounds) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234.5", "1,234"),
        ("1235.5", "1,236"),
        ("-12.25", f"{MINUS}12.2"),
        ("0", "0"),
        ("1E+6", "1,000,000"),
        ("-0.0", "0"),
        ("0.0000000123", "0.00000001"),
        ("1E-15", "<0.000000000001"),
        ("-1E-15", f">{MINUS}0.000000000001"),
        ("12345678901234567890123456789.5", "12,345,678,901,234,567,890,123,456,790"),
    ],
)
def test_numbers_are_grouped_and_rounded_half_to_even(value, text):
    assert f.format_number(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "$0"),
        ("12340.49", "$12,340"),
        ("12.3", "$12.30"),
        ("-5", f"{MINUS}$5.00"),
        ("0.0042", "$0.0042"),
        ("0.123", "$0.12"),
        ("0.000000000123", "$0.0000000001"),
        ("-1E-15", f">{MINUS}$0.000000000001"),
        ("1000", "$1,000"),
        ("999.995", "$1,000.00"),
    ],
)
def test_dollars(value, text):
    assert f.format_usd(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("12.4", "ms", "12.4\xa0ms"),
        ("1200", "USD", "$1,200"),
        ("0.9127", "ratio", "91.3\xa0%"),
        ("200", "gpu_h", "200\xa0GPU h"),
        ("1520.5", "1/s", "1,520\xa0/s"),
        ("1.69", "MB", "1.69\xa0MB"),
    ],
)
def test_quantities_carry_their_unit(value, unit, text):
    assert f.format_quantity(Decimal(value), unit=unit) == text


def test_a_bound_is_shown_to_the_digits_of_its_figure():
    figure = {"unit": "ratio", "lower": Decimal("0.9071"), "upper": Decimal("0.9181")}
    assert f.shown_value(Decimal("0.9127"), **figure) == "91.3"
    assert f.shown_value(Decimal("0.9127"), **figure, bound=Decimal("0.9071")) == "90.7"
    assert f.shown_value(Decimal(1), unit="USD", bound=Decimal(2)) == "$2.00"


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=61), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(minutes=-1), "in 1 min"),
    ],
)
def test_how_long_ago(before, text):
    assert f.format_ago(NOW - before, now=NOW) == text


def test_a_moment_is_written_in_utc():
    there = timezone(timedelta(hours=-5))
    assert f.format_moment(datetime(2026, 3, 1, 20, 5, tzinfo=there)) == "2 Mar 2026, 01:05 UTC"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0\xa0B"),
        (999, "999\xa0B"),
        (1530, "1.53\xa0kB"),
        (1_530_000, "1.53\xa0MB"),
        (2_000_000_000, "2.00\xa0GB"),
        (5_000_000_000_000_000, "5,000\xa0TB"),
    ],
)
def test_sizes(size, text):
    assert f.format_size(size) == text


@pytest.mark.parametrize(
    ("name", "mark"), [("Rosa Reyes", "RR"), ("rosa.reyes", "RR"), ("bot", "B"), ("", "?"), ("Ana de la Cruz", "AC")]
)
def test_initials(name, mark):
    assert f.initials(name) == mark


def test_short_digest():
    assert f.short_digest("sha256:0123456789abcdef") == "0123456789ab"


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=6))
def test_any_number_reads_back_within_its_rounding(value):
    text = f.format_number(value).replace(",", "").replace(MINUS, "-")
    assert abs(Decimal(text) - value) <= Decimal(5).scaleb(-1 - f.decimals_for(value))


finite = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30).filter(bool)
units = st.sampled_from(["ms", "ratio", "USD", "gpu_h", "1/s", "MB", "1"])
FORMATS = {
    "number": lambda value, unit, bounds: f.format_number(value),
    "two decimals": lambda value, unit, bounds: f.format_number(value, decimals=2),
    "filter": lambda value, unit, bounds: tags.number(value, 3),
    "percent": lambda value, unit, bounds: tags.percent(value),
    "dollars": lambda value, unit, bounds: f.format_usd(value),
    "quantity": lambda value, unit, bounds: f.format_quantity(value, unit=unit),
    "ledger": lambda value, unit, bounds: f.format_exact(value, unit=unit),
    "value": lambda value, unit, bounds: f.shown_value(value, unit=unit, lower=bounds[0], upper=bounds[1]),
    "bound": lambda value, unit, bounds: f.shown_value(
        bounds[1], unit=unit, lower=bounds[0], upper=bounds[1], bound=value
    ),
}


@example(Decimal("0.301"), "ms", [Decimal(0), Decimal(11)])
@example(Decimal("0.004"), "USD", [Decimal(0), Decimal(0)])
@example(Decimal("-1E-400"), "ratio", [Decimal(0), Decimal(1)])
@given(finite, units, st.lists(finite, min_size=2, max_size=2).map(sorted))
@pytest.mark.parametrize("format_name", FORMATS)
def test_no_number_but_zero_is_shown_as_zero(format_name, value, unit, bounds):
    text = FORMATS[format_name](value, unit, bounds)
    assert re.search("[1-9]", text), text


def test_a_wide_interval_does_not_erase_the_value():
    figure = {"unit": "ms", "lower": Decimal(0), "upper": Decimal(11)}
    assert f.shown_value(Decimal("0.301"), **figure) == "0.30"
    assert f.shown_value(Decimal("0.301"), **figure, bound=Decimal(11)) == "11"
    assert f.shown_value(Decimal("0.301"), **figure, bound=Decimal("0.004")) == "0.004"
