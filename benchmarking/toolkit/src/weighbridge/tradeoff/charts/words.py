"""Words for metrics: what a person calls them, with their unit; and estimates with their bounds."""

from collections.abc import Sequence

from weighbridge.charts.tables import EMPTY_CELL
from weighbridge.cli.tables.metric_titles import METRICS
from weighbridge.cli.tables.terminal import number
from weighbridge.tradeoff.candidates import Estimate

NAMES = {
    **{name: words.strip() for name, words in METRICS.items()},
    "peak_memory_delta_mb": "memory of the model",
    "latency_p50_ms": "median latency",
    "latency_p95_ms": "p95 latency",
    "latency_p99_ms": "p99 latency",
    "cost_per_1k_usd": "cost of 1,000 inferences",
    "cost_per_1k_loaded_usd": "cost of 1,000 inferences with upkeep",
    "cost_per_request_usd": "cost of a request",
    "cost_per_m_output_tokens_usd": "cost of a million output tokens",
    "cost_per_accepted_usd": "cost of an accepted answer",
    "training_cost_usd": "training cost",
    "inference_cost_1y_usd": "serving cost of a year",
    "total_cost_1y_usd": "cost of the first year",
    "tco_usd": "total cost of ownership",
    "exit_cost_usd": "exit cost",
}


def name_of(metric: str) -> str:
    """Return `p95 latency` for `latency_p95_ms`; an unknown metric without its underscores."""
    return NAMES.get(metric, metric.replace("_", " "))


def shown_unit(unit: str) -> str:
    """Return the unit, or nothing for numbers without one."""
    return "" if unit in ("1", "ratio") else unit


def with_unit(metric: str, unit: str) -> str:
    """Return the name with its unit, where the unit says something."""
    return f"{name_of(metric)} ({unit})" if shown_unit(unit) else name_of(metric)


def capital(text: str) -> str:
    """Return the text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def with_bounds(estimate: Estimate | None) -> str:
    """Write an estimate with its bounds: `0.867 (0.860 to 0.874)`; a dash for none."""
    if estimate is None:
        return EMPTY_CELL
    if estimate.lower is None or estimate.upper is None:
        return number(estimate.value)
    return f"{number(estimate.value)} ({number(estimate.lower)} to {number(estimate.upper)})"


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
