"""Costs at the terminal: a projection side by side, and one calculation line by line."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.tradeoff.sheets.cost_page import cost_words

if TYPE_CHECKING:
    from rich.table import Table

LEVELS = ("p10", "p50", "p80", "p90")
SWINGS = 5


def projection_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics of every option, which is cheapest how likely, limits, worth and leaving."""
    sheet = cost_words(document)
    _, metrics = sheet.tables[0]
    words = [heading for position, heading in enumerate(metrics.headings) if position not in metrics.figures]
    yield table_of(sheet.title, metrics.headings, metrics.rows, words=words)
    yield sheet.headline + "."
    for heading, found in sheet.sections:
        yield heading
        yield from (f"  {sentence}" for sentence in found)
    for option in document["options"]:
        swings = option["tornado"]["tco_usd"][:SWINGS]
        if swings:
            yield f"What moves {option['title']} most: {', '.join(swing['input'] for swing in swings)}"
    yield f"digest: {document['digest']}"


def calculation_parts(found: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield lines with formulas, the total's levels, quantities, what moves it most, and the prices it used."""
    headings = ("line", "USD at the middle", *(level.upper() for level in LEVELS), "formula")
    yield table_of(found["calculator"], headings, _calculation_rows(found), words=("line", "formula"))
    for name, levels in found["quantity_levels"].items():
        yield f"{name}: {_number(levels['p50'])} ({_number(levels['p10'])} to {_number(levels['p90'])})"
    if found["calculator"] == "value":
        yield f"above zero with a probability of {found['above_zero_probability']:.0%}"
    for swing in found["tornado"][:SWINGS]:
        yield f"{swing['input']}: {_shown(swing['at_p10_usd'])} at its P10, {_shown(swing['at_p90_usd'])} at its P90"
    for each in found["prices"]:
        yield f"price: {each.get('sku') or each['path']} {each['usd']} USD of {each['as_of']}, {each['source']}"


def _calculation_rows(found: Mapping[str, Any]) -> Iterator[list[str]]:
    for line in found["lines"]:
        yield [line["name"], _shown(line["usd"]), *(_shown(line[level]) for level in LEVELS), line["formula"]]
    yield ["total", _shown(found["total_usd"]), *(_shown(found["total"][level]) for level in LEVELS), ""]


def _shown(text: str | None) -> str:
    return "no end" if text is None else f"{float(text):,.2f}"


def _number(value: float | None) -> str:
    return "no end" if value is None else number(value)
