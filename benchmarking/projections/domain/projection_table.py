"""A cost projection as tables: options side by side, cost parts, sensitivity and pinned prices.

Reads the document (`weighbridge.projection/1`) and decides the content and order of the tables, not their layout.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import MetricValue

Document = Mapping[str, Any]
LABELS = {
    "total_cost_1y_usd": "First year, all in",
    "inference_cost_1y_usd": "One year of serving",
    "training_cost_usd": "Training",
    "upkeep_1y_usd": "One year of upkeep",
    "training_gpu_hours": "GPU hours of training",
    "cost_per_1k_usd": "1,000 inferences, serving alone",
    "cost_per_1k_loaded_usd": "1,000 inferences, upkeep included",
    "tco_usd": "Owning it over the years, discounted",
    "equivalent_annual_usd": "The same as an even yearly payment",
    "exit_cost_usd": "Leaving it",
}
"""The displayed metrics in order, with their labels. Stored packets contain the labels."""
CONFIDENCE = Decimal("0.8")
DECIDING, MOST_SWINGS = "total_cost_1y_usd", 6
_PATH = re.compile(r"options\[(\d+)\]\.(\w+)(?:\..*)?\.(\w+)")
PARTS = ("training", "serving", "upkeep", "exit", "tco")


@dataclass(frozen=True)
class MetricOfOption:
    """One metric of one option; `metric` is None if the load cannot be served. `is_least`: has the lowest P50."""

    metric: MetricValue | None
    is_least: bool = False


@dataclass(frozen=True)
class MetricAcrossOptions:
    """One metric over all options."""

    name: str
    label: str
    cells: tuple[MetricOfOption, ...]

    @property
    def metrics(self) -> tuple[MetricValue, ...]:
        """The known values, which share one scale."""
        return tuple(cell.metric for cell in self.cells if cell.metric is not None)


@dataclass(frozen=True)
class CostPartView:
    """One part of an option's costs, with the nonzero lines of the document, each with its terms as text."""

    name: str
    total_usd: str | None
    lines: tuple[tuple[Mapping[str, Any], tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class SwingView:
    """The first-year total with one input at its P10 and at its P90; `start` and `length` of the bar in percent."""

    name: str
    low_usd: Decimal
    high_usd: Decimal
    start: float
    length: float


@dataclass(frozen=True)
class OptionView:
    """One option: the probability that it is the cheapest, its cost parts and its sensitivities."""

    id: str
    title: str
    cheapest_probability: float
    parts: tuple[CostPartView, ...]
    swings: tuple[SwingView, ...]
    lock_in: Mapping[str, Any] | None


@dataclass(frozen=True)
class PriceRow:
    """One pinned price: `use` says for what, `name` of what it is, and its value, date and source."""

    use: str
    name: str
    usd: Decimal
    unit: str
    as_of: date
    source: str


@dataclass(frozen=True)
class Remark:
    """What a reader must know beside the numbers of an option: its title, the subject and a sentence."""

    option: str
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ProjectionTable:
    """A projection as its page shows it: the document, and what is computed from it."""

    document: Document
    options: tuple[OptionView, ...]
    rows: tuple[MetricAcrossOptions, ...]
    thresholds: tuple[tuple[str, float, tuple[float, ...]], ...]
    prices: tuple[PriceRow, ...]
    remarks: tuple[Remark, ...]


def table_of(document: Document) -> ProjectionTable:
    """Return the tables of a projection document."""
    options = document["options"]
    return ProjectionTable(
        document=document,
        options=tuple(_option(option, document["cheapest"][DECIDING]) for option in options),
        rows=tuple(_row(name, options) for name in LABELS if any(_is_nonzero(option, name) for option in options)),
        thresholds=tuple(
            (
                LABELS[threshold["metric"]],
                threshold["above"],
                tuple(threshold["probability"][option["id"]] for option in options),
            )
            for threshold in document["thresholds"]
        ),
        prices=tuple(_price(pin, [option["title"] for option in options]) for pin in document["prices"]),
        remarks=tuple(_remarks(document)),
    )


def _remarks(document: Document) -> Iterator[Remark]:
    titles = {option["id"]: option["title"] for option in document["options"]}
    for remark in document["remarks"]:
        yield Remark(titles[remark["option"]], remark["kind"], remark["text"])


def metric_of(name: str, levels: Mapping[str, Any]) -> MetricValue | None:
    """Return a projected metric as an estimate: P50, with P10 and P90 as bounds if they differ; None if a level is
    infinite.
    """
    if any(levels[level] is None for level in ("p10", "p50", "p80", "p90")):
        return None
    metric = MetricValue(
        name=name, value=Decimal(levels["p50"]), unit=levels["unit"], basis=Basis.ESTIMATED, observed_at=_NO_TIME
    )
    if levels["p10"] == levels["p90"]:
        return metric
    lower, p80, upper = (Decimal(levels[level]) for level in ("p10", "p80", "p90"))
    return replace(metric, lower=lower, upper=upper, confidence=CONFIDENCE, p80=p80)


# A projection describes a year, not a moment; nothing reads this time.
_NO_TIME = datetime.combine(date.min, time.min, tzinfo=UTC)


def _row(name: str, options: Sequence[Mapping[str, Any]]) -> MetricAcrossOptions:
    metrics = [metric_of(name, option["metrics"][name]) for option in options]
    values = [metric.value for metric in metrics if metric is not None]
    least = min(values, default=None)
    has_lowest = len(set(values)) > 1
    return MetricAcrossOptions(
        name,
        LABELS[name],
        tuple(
            MetricOfOption(metric, has_lowest and metric is not None and metric.value == least) for metric in metrics
        ),
    )


@dataclass(frozen=True)
class Move:
    """The P50 of one metric before and after; None if the load cannot be served. `share` is the relative change."""

    option: str
    metric: str
    label: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    share: Decimal | None


def moves_of(changes: Mapping[str, Any], document: Document) -> tuple[Move, ...]:
    """Return the metrics whose P50 changed (`weighbridge.projection-change/1`); `document` is the later one."""
    metrics = {option["id"]: option["metrics"] for option in document["options"]}
    moves = []
    for option, changed in changes.get("metrics", {}).items():
        for name, levels in changed.items():
            before, after, ratio = (levels["p50"][part] for part in ("before", "after", "ratio"))
            if before != after:
                unit, share = metrics[option][name]["unit"], None if ratio is None else Decimal(str(ratio)) - 1
                moves.append(Move(option, name, LABELS[name], unit, _decimal(before), _decimal(after), share))
    return tuple(moves)


def _is_nonzero(option: Mapping[str, Any], name: str) -> bool:
    """Whether a metric gets a row: not if both P10 and P90 are zero."""
    levels = (option["metrics"][name][level] for level in ("p10", "p90"))
    return any(level is None or Decimal(level) != 0 for level in levels)


def _option(option: Mapping[str, Any], cheapest: Mapping[str, float]) -> OptionView:
    parts = (_part(name, option["parts"][name]) for name in PARTS)
    return OptionView(
        option["id"],
        option["title"],
        cheapest[option["id"]],
        tuple(part for part in parts if part.lines),
        _swings(option["tornado"].get(DECIDING, [])),
        option["lock_in"],
    )


def _part(name: str, part: Mapping[str, Any]) -> CostPartView:
    nonzero = [line for line in part["lines"] if line["usd"] is None or Decimal(line["usd"]) != 0]
    return CostPartView(name, part["total_usd"], tuple((line, _terms(line["terms"])) for line in nonzero))


def _terms(terms: Mapping[str, float | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "infinite" if value is None else f"{value:,.6g}") for name, value in terms.items())


def _swings(tornado: Sequence[Mapping[str, Any]]) -> tuple[SwingView, ...]:
    ends = [
        (swing["input"], Decimal(swing["at_p10_usd"]), Decimal(swing["at_p90_usd"]))
        for swing in tornado
        if swing["at_p10_usd"] is not None and swing["at_p90_usd"] is not None
    ][:MOST_SWINGS]
    low = min((min(first, last) for _, first, last in ends), default=Decimal(0))
    high = max((max(first, last) for _, first, last in ends), default=Decimal(1))
    percent = 100 / ((high - low) or Decimal(1))
    return tuple(
        SwingView(
            name.replace(".", ", ").replace("_", " "),
            first,
            last,
            start=round(float((min(first, last) - low) * percent), 2),
            length=round(float(abs(last - first) * percent), 2),
        )
        for name, first, last in ends
    )


def _price(pin: Mapping[str, Any], titles: Sequence[str]) -> PriceRow:
    named = " ".join(str(pin[part]) for part in ("sku", "term", "meter") if part in pin and pin[part] != "whole")
    return PriceRow(
        price_use(pin["path"], titles=titles),
        named.replace("_", " "),
        Decimal(pin["usd"]),
        pin["unit"],
        date.fromisoformat(pin["as_of"]),
        pin["source"],
    )


def price_use(item: str, *, titles: Sequence[str]) -> str:
    """The option and the part of its cost that has the price, for its path: "Managed API, serving, input".

    A price that is known by its SKU, and a path outside the options, stay as they are.
    """
    found = _PATH.match(item)
    if not found:
        return item
    kind = found[3].removesuffix("_usd") if found[3].endswith("_usd") else ""
    return ", ".join(filter(None, (titles[int(found[1])], found[2], kind))).replace("_", " ")


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
