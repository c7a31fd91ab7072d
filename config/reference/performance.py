"""The page of performance figures, made of docs/reference/performance.json, which `make bench` writes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from config import env
from config.reference.tables import code, page, table

FIGURES = env.ROOT / "docs" / "reference" / "performance.json"
HEAD = """\
What `make bench` measured, with the limit that each figure is held to and what stood beside it in the same run. A
figure without a limit is for reading. *Load* is the load average of the machine before the test began: at 0 nobody else
was at work. Absolute times are of the machine named below; ratios travel further. A figure that missed its limit stays
on the page and says so."""
PARTS: Mapping[str, str] = {
    "profile": "What a profile costs",
    "percentiles": "Percentiles beside MLPerf's LoadGen",
    "precision": "Time to a given precision",
    "coverage": "How often intervals hold the truth",
    "load": "The load generator",
    "peers": "Load generators side by side",
    "variants": "What cheaper variants gain and lose",
    "pareto": "The frontier of many candidates",
    "costs": "Cost projections",
    "policy": "Policy replayed",
    "bills": "Bills taken in",
    "deliveries": "Deliveries of Jira",
    "quarterly": "The quarterly packet",
}
"""Headings of the page, by the first word of a figure's name; the order is the page's."""
REMARKS: Mapping[str, str] = {
    "coverage": "Simulated data whose truth is known; 95 % has to mean 93 to 97 of 100.",
    "peers": "Each tool on one core sends 2,000 requests a second for 8 s to nginx on the other, which is frozen for"
    " one of the seconds. The truth is arithmetic: p99 is 920 ms.",
    "variants": "Product images (Fashion-MNIST), one thread, as `weighbridge optimize` measures them.",
}


def performance(figures: Path = FIGURES) -> str:
    """The page, from the figures that were kept; those of a part that has no heading are refused with a KeyError."""
    kept: dict[str, dict[str, Any]] = json.loads(figures.read_text(encoding="utf-8"))
    by_part: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for name, figure in sorted(kept.items()):
        by_part[name.partition(".")[0]].append(figure)
    parts = [each for part, found in by_part.items() if found for each in _part(part, found)]
    return page("Performance", HEAD, *parts, "## Repeat it", *_repeat(list(kept.values())))


def _part(part: str, found: list[dict[str, Any]]) -> Iterator[str]:
    yield f"## {PARTS[part]}"
    if part in REMARKS:
        yield REMARKS[part]
    head = ("Figure", "Value", "Limit", "Held", "Beside it", "Load", "Date")
    yield table(head, (_row(figure) for figure in found))


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    held = {True: "yes", False: "**no**", None: ""}[figure["is_held"]]
    value = f"{_number(figure['value'])} {figure['unit']}".strip()
    return (figure["title"], value, _limit(figure), held, figure["beside"], str(figure["load_before"]), figure["at"])


def _limit(figure: Mapping[str, Any]) -> str:
    low, high = figure["at_least"], figure["at_most"]
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"
    if high is not None:
        return f"at most {_number(high)}"
    return f"at least {_number(low)}" if low is not None else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _repeat(figures: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "All of it, on a quiet machine: `make bench`, which writes the figures and this page. One test alone prints "
        "its own:"
    )
    yield "\n".join(f"- {code(command)}" for command in sorted({figure["command"] for figure in figures}))
    yield "Measured on:"
    yield "\n".join(f"- {machine}" for machine in sorted({figure["machine"] for figure in figures}))
