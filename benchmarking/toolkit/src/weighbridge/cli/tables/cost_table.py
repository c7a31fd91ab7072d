"""Costs at the terminal: a projection side by side, and one calculation line by line."""

from collections.abc import Mapping
from typing import Any, TextIO

from weighbridge.cli.tables.terminal import number
from weighbridge.tradeoff.sheets.cost_page import cost_sheet

LEVELS = ("p10", "p50", "p80", "p90")
SWINGS = 5


def show_projection(document: Mapping[str, Any], stream: TextIO) -> None:
    """Write the figures of every option, which is cheapest how likely, limits, worth and leaving."""
    from rich.console import Console
    from rich.table import Table

    sheet = cost_sheet(document)
    _, figures = sheet.tables[0]
    table = Table(title=sheet.title, title_justify="left")
    for position, heading in enumerate(figures.headings):
        table.add_column(heading, justify="right" if position in figures.figures else "left")
    for row in figures.rows:
        table.add_row(*row)
    Console(file=stream, highlight=False, markup=False).print(table)
    lines = [sheet.headline + "."]
    for heading, found in sheet.sections:
        lines += [heading, *(f"  {sentence}" for sentence in found)]
    for option in document["options"]:
        swings = option["tornado"]["tco_usd"][:SWINGS]
        lines += (
            [f"What moves {option['title']} most: {', '.join(swing['input'] for swing in swings)}"] if swings else []
        )
    stream.writelines(f"{line}\n" for line in [*lines, f"digest: {document['digest']}"])


def show_calculation(found: Mapping[str, Any], stream: TextIO) -> None:
    """Write lines with formulas, the total's levels, quantities, what moves it most, and the prices it used."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=found["calculator"], title_justify="left")
    for heading in ("line", "USD at the middle", *(level.upper() for level in LEVELS), "formula"):
        table.add_column(heading, justify="left" if heading in ("line", "formula") else "right")
    for line in found["lines"]:
        table.add_row(line["name"], _shown(line["usd"]), *(_shown(line[level]) for level in LEVELS), line["formula"])
    total = found["total"]
    table.add_row("total", _shown(found["total_usd"]), *(_shown(total[level]) for level in LEVELS), "")
    Console(file=stream, highlight=False, markup=False).print(table)
    lines = [
        f"{name}: {_number(levels['p50'])} ({_number(levels['p10'])} to {_number(levels['p90'])})"
        for name, levels in found["quantity_levels"].items()
    ]
    lines += [f"above zero with a probability of {found['above_zero_probability']:.0%}"] * (
        found["calculator"] == "value"
    )
    lines += [
        f"{swing['input']}: {_shown(swing['at_p10_usd'])} at its P10, {_shown(swing['at_p90_usd'])} at its P90"
        for swing in found["tornado"][:SWINGS]
    ]
    lines += [
        f"price: {each['sku']} {each['usd']} USD of {each['as_of']}, {each['source']}"
        for each in found["prices"]
        if "sku" in each
    ]
    stream.writelines(f"{line}\n" for line in lines)


def _shown(text: str | None) -> str:
    return "no end" if text is None else f"{float(text):,.2f}"


def _number(value: float | None) -> str:
    return "no end" if value is None else number(value)
