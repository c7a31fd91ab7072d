"""Cost tables for the terminal: the options of a projection side by side, and the lines of one calculation."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.tradeoff.sheets.cost_page import cost_words

if TYPE_CHECKING:
    from rich.table import Table

LEVELS = ("p10", "p50", "p80", "p90")
SWINGS = 5


def projection_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics of each option, the probability that it is cheapest, its limits, value and exit costs."""
    sheet = cost_words(document)
    _, metrics = sheet.tables[0]
    text_columns = [heading for position, heading in enumerate(metrics.headings) if position not in metrics.figures]
    yield table_of(sheet.title, metrics.headings, metrics.rows, text_columns=text_columns)
    yield sheet.headline + "."
    for heading, sentences in sheet.sections:
        yield heading
        yield from (f"  {sentence}" for sentence in sentences)
    for option in document["options"]:
        swings = option["tornado"]["tco_usd"][:SWINGS]
        if swings:
            yield f"{option['title']} depends most on: {', '.join(swing['input'] for swing in swings)}"
    yield f"digest: {document['digest']}"


def calculation_parts(calculation: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield lines with formulas, totals at each level, quantities, the most influential inputs, and prices."""
    headings = ("line", "USD, middle", *(level.upper() for level in LEVELS), "formula")
    yield table_of(
        calculation["calculator"], headings, _calculation_rows(calculation), text_columns=("line", "formula")
    )
    for name, levels in calculation["quantity_levels"].items():
        yield f"{name}: {_number(levels['p50'])} ({_number(levels['p10'])} to {_number(levels['p90'])})"
    if calculation["calculator"] == "value":
        yield f"probability of a value above zero: {calculation['above_zero_probability']:.0%}"
    for swing in calculation["tornado"][:SWINGS]:
        yield f"{swing['input']}: {_amount(swing['at_p10_usd'])} at its P10, {_amount(swing['at_p90_usd'])} at its P90"
    yield from (f"{each['kind']}: {each['text']}" for each in calculation["remarks"])
    for price in calculation["prices"]:
        yield f"price: {price.get('sku') or price['path']} {price['usd']} USD of {price['as_of']}, {price['source']}"


def _calculation_rows(calculation: Mapping[str, Any]) -> Iterator[list[str]]:
    for line in calculation["lines"]:
        yield [line["name"], _amount(line["usd"]), *(_amount(line[level]) for level in LEVELS), line["formula"]]
    yield ["total", _amount(calculation["total_usd"]), *(_amount(calculation["total"][level]) for level in LEVELS), ""]


def _amount(text: str | None) -> str:
    return "unlimited" if text is None else f"{float(text):,.2f}"


def _number(value: float | None) -> str:
    return "unlimited" if value is None else number(value)
