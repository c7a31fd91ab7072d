"""A run's result, ready for its page: values by what they speak of, the drawn distribution, conditions as pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarking.runs.queries.runs import Metric, RunView
from weighbridge.charts.drawing import Chart
from weighbridge.charts.histogram import histogram
from weighbridge.core.metrics import Basis, MetricValue

_GROUPS = (
    ("Speed", ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s", "error_rate")),
    ("Quality", ("accuracy", "f1_macro", "precision_macro", "recall_macro", "roc_auc", "mae", "rmse", "r2", "mape")),
    (
        "Size and start",
        ("model_size_mb", "parameters", "peak_memory_mb", "peak_memory_delta_mb", "load_time_ms", "first_inference_ms"),
    ),
)
LATENCY = "latency"
_NS_PER_MS = 1_000_000
_CLASSES_MAX = 20
_PARTS = ("machine", "engine", "settings", "model", "inputs", "data", "libraries")
_UNITS = {"mb": "MB", "ms": "ms", "s": "s"}
_KNOWN = {"cpu": "CPU", "cpus": "CPUs", "os": "system", "max": "most", "min": "least"}


@dataclass(frozen=True)
class Group:
    """Metric values that speak of one thing."""

    title: str
    metric_values: tuple[MetricValue, ...]


@dataclass(frozen=True)
class Conditions:
    """One part of the manifest: names and values as text."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ConfusionCell:
    """A cell of the confusion matrix; `share` of its row, 0 to 1, for the drawing."""

    count: int
    share: float
    is_hit: bool


def groups_of(view: RunView) -> tuple[Group, ...]:
    """The metrics as metric values, grouped; what no group knows stands under "Other"."""
    known = {name for _, names in _GROUPS for name in names}
    by_name = {metric.name: metric for metric in view.metrics}
    named = [(title, [by_name[name] for name in names if name in by_name]) for title, names in _GROUPS]
    named.append(("Other", [metric for metric in view.metrics if metric.name not in known]))
    return tuple(Group(title, tuple(_metric_value(view, each) for each in found)) for title, found in named if found)


def distribution_of(view: RunView, *, result: Mapping[str, Any]) -> Chart | None:
    """The distribution of latencies, where the result kept its samples and they differ."""
    samples = [value / _NS_PER_MS for value in result.get("samples", {}).get("latency_ns", ())]
    marks = {
        metric.name.removeprefix("latency_").removesuffix("_ms"): float(metric.value)
        for metric in view.metrics
        if metric.name.startswith("latency_p")
    }
    return histogram(samples, marks, title="time of one answer", unit="ms")


def stride_of(result: Mapping[str, Any]) -> int:
    """Of how many measured samples the result kept one."""
    return int(result.get("samples", {}).get("stride", 1))


def confusion_of(result: Mapping[str, Any]) -> tuple[tuple[ConfusionCell, ...], ...]:
    """Rows are what was right, columns what was answered; empty where there is none or too many classes to read."""
    counts: Sequence[Sequence[int]] = result.get("confusion") or ()
    if len(counts) > _CLASSES_MAX:
        return ()
    return tuple(
        tuple(ConfusionCell(count, round(count / (sum(row) or 1), 3), at == place) for at, count in enumerate(row))
        for place, row in enumerate(counts)
    )


def conditions_of(manifest: Mapping[str, Any]) -> tuple[Conditions, ...]:
    """The manifest in parts, the machine first; what is nested is written out in words."""
    parts = {title: content for title, content in manifest.items() if isinstance(content, Mapping) and content}
    order = [title for title in _PARTS if title in parts] + [title for title in parts if title not in _PARTS]
    rest = {name: value for name, value in manifest.items() if not isinstance(value, Mapping)}
    named = [(title, parts[title]) for title in order] + [("as a whole", rest)] * bool(rest)
    return tuple(Conditions(title, tuple(_flat(content))) for title, content in named)


def _metric_value(view: RunView, metric: Metric) -> MetricValue:
    return MetricValue(
        name=metric.name,
        value=metric.value,
        unit=metric.unit,
        basis=Basis.MEASURED,
        observed_at=view.finished_at or view.created_at,
        lower=metric.lower,
        upper=metric.upper,
        confidence=metric.confidence,
        n=metric.n,
    )


def _flat(content: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        words = f"{before} {_words(name)}".strip()
        if isinstance(value, Mapping) and value:
            pairs += _flat(value, words)
        else:
            pairs.append((words, _text(value)))
    return pairs


def _words(name: str) -> str:
    """ "memory_mb" -> "memory (MB)", "cpus_usable" -> "CPUs usable": a key of the manifest as a person reads it."""
    base, _, last = name.rpartition("_")
    if base and last in _UNITS:
        return f"{_words(base)} ({_UNITS[last]})"
    return " ".join(_KNOWN.get(part, part) for part in name.split("_") if part != "is")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items()) or "none"
    return "none" if value is None else str(value)
