"""Generate the performance page from docs/reference/performance.json, which `make bench` writes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from config import env
from config.reference.tables import code, page, table

FIGURES = env.ROOT / "docs" / "reference" / "performance.json"
HEAD = """\
The results of `make bench`, with the limit of each result and a comparison from the same run. A result without a limit
is informative. *Load* is the load average of the machine before the test: at 0 the machine was idle. Absolute times
apply to the machine named below; ratios are more portable. A result that missed its limit is marked."""
PARTS: Mapping[str, str] = {
    "profile": "Cost of a profile",
    "gpu": "Cost of a profile on a graphics card",
    "percentiles": "Percentiles compared with MLPerf's LoadGen",
    "precision": "Time to a given precision",
    "coverage": "Coverage of intervals",
    "load": "The load generator",
    "peers": "Comparison of load generators",
    "chat": "Comparison of load generators of language models",
    "variants": "Gains and losses of cheaper variants",
    "pareto": "The frontier of many candidates",
    "portfolio": "The choice of a portfolio",
    "costs": "Cost projections",
    "policy": "Policy replayed",
    "bills": "Bill ingestion",
    "deliveries": "Jira deliveries",
    "gate": "Questions to the gate",
    "tick": "The tick",
    "head": "The head of the audit trail",
    "search": "Search",
    "quarterly": "The quarterly packet",
    "pages": "Server time of pages",
    "growth": "Growth of the time of pages",
}
"""Headings by the first part of a result's name, in the order of the page."""
REMARKS: Mapping[str, str] = {
    "coverage": "Simulated data with known true values; a 95 % interval must cover 93 to 97 of 100.",
    "peers": "Each tool on one core sends 2,000 requests a second for 8 s to nginx on the other, which is frozen for"
    " one second. The true p99 follows from arithmetic: 920 ms.",
    "chat": "Each tool on one core sends 200 prompts a second for 30 s, at most 64 at once, to the double of a server"
    " on the other, which answers 10 tokens: the first after 50 ms, one each 10 ms. After 10 s it is frozen for one"
    " second. A simulation of 64 connections, first in first out, gives the true p99 of the time to the first token:"
    " 835 ms from the moment at which a request was due, 50 ms from the moment at which it was sent.",
    "variants": "Product images (Fashion-MNIST), one thread, as `weighbridge optimize` measures them.",
}
# What is written in the place of results that only some machines have.
NOT_RUN: Mapping[str, str] = {
    "gpu": "*Not run*: the machine that measured this page has no graphics card. On one that has, `make bench` measures"
    " our loop against the bare loop with CUDA and TensorRT (at most 1.02).",
}


def performance(figures: Path = FIGURES) -> str:
    """The page text. Raises KeyError for a result whose part has no heading."""
    stored: dict[str, dict[str, Any]] = json.loads(figures.read_text(encoding="utf-8"))
    by_part: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for name, figure in sorted(stored.items()):
        by_part[name.partition(".")[0]].append(figure)
    parts = [text for part, results in by_part.items() for text in _part(part, results)]
    return page("Performance", HEAD, *parts, "## Repeat the measurements", *_repeat(list(stored.values())))


def _part(part: str, results: list[dict[str, Any]]) -> Iterator[str]:
    if not results and part not in NOT_RUN:
        return
    yield f"## {PARTS[part]}"
    if not results:
        yield NOT_RUN[part]
        return
    if part in REMARKS:
        yield REMARKS[part]
    head = ("Result", "Value", "Limit", "Met", "Comparison", "Load", "Date")
    yield table(head, (_row(figure) for figure in results))


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[figure["is_held"]]
    value = f"{_number(figure['value'])} {figure['unit']}".strip()
    return (figure["title"], value, _limit(figure), met, figure["beside"], str(figure["load_before"]), figure["at"])


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
        "To repeat all of them on an idle machine, run `make bench`, which writes the results and this page. A single "
        "test prints its own results:"
    )
    yield "\n".join(f"- {code(command)}" for command in sorted({figure["command"] for figure in figures}))
    yield "Measured on:"
    yield "\n".join(f"- {machine}" for machine in sorted({figure["machine"] for figure in figures}))
