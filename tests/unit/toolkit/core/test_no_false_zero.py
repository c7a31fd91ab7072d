"""No formatter of the house shows a number as zero that is not zero."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarking.runs.domain import alternatives
from governance.bills.domain.report import plain_text
from governance.site.web import formatting
from governance.site.web.charts.words import number_words, tick_words
from reviews.quarterly.domain.printed import charts as quarterly
from reviews.requests.domain import wording
from weighbridge.charts import waterfall
from weighbridge.cli.tables import cost_table, price_tables, terminal
from weighbridge.core import money
from weighbridge.core.metrics import values
from weighbridge.core.metrics.units import share_text
from weighbridge.costs.prices.price import amount_text

FORMATTERS = {
    "terminal": lambda value: terminal.number(float(value)),
    "cost table": lambda value: cost_table._number(float(value)),
    "price table": price_tables._text,
    "price": amount_text,
    "dollars": money.format_usd,
    "GPU hours": lambda value: money.format_amount(value, unit="gpu_h"),
    "metric value": values.number_text,
    "brief metric value": values.brief_text,
    "packet": lambda value: wording.number_text(value, unit="ms"),
    "packet, dollars": lambda value: wording.number_text(value, unit="USD"),
    "bill": plain_text,
    "variants": lambda value: alternatives._fixed(float(value), 2),
    "waterfall": lambda value: waterfall._words(float(value)),
    "quarterly charts": quarterly._usd,
    "share": lambda value: share_text(float(value)),
    "share, two decimals": lambda value: share_text(float(value), decimals=2),
    "share on pages": lambda value: formatting.format_quantity(value, unit="ratio"),
    "chart": lambda value: number_words(float(value), "ms"),
    "chart, axis": lambda value: tick_words(float(value), "USD"),
}
numbers = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=10).filter(bool)


@pytest.mark.parametrize("name", FORMATTERS)
@example(Decimal("0.0000000001"))
@example(Decimal("-0.004"))
@example(Decimal("0.4"))
@given(numbers)
def test_what_is_not_zero_is_not_shown_as_zero(name: str, value: Decimal) -> None:
    text = FORMATTERS[name](value)
    assert re.search("[1-9]", text), text


@pytest.mark.parametrize("name", FORMATTERS)
def test_zero_is_zero(name: str) -> None:
    assert not re.search("[1-9]", FORMATTERS[name](Decimal(0)))


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100%"), (0.994, "99%"), (0.997, "99.7%"), (0.99996, "99.996%"), (1 - 1e-12, "100.000000000%"), (1.2, "120%")],
)
def test_almost_all_is_not_all(share: float, text: str) -> None:
    assert share_text(share) == text


def test_small_amounts_keep_a_digit() -> None:
    assert money.format_usd("0.0004") == "0.0004 USD"
    assert money.format_usd(Decimal("-0.004")) == "-0.004 USD"
    assert money.format_usd(Decimal("-0.00")) == "0.00 USD"
    assert money.format_amount(Decimal("0.001"), unit="gpu_h") == "0.001 GPU hours"
