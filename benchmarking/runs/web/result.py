"""A run's result, formatted for its page: grouped metric values, the latency chart, conditions as pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarking.runs.domain.latency_chart import latency_chart
from benchmarking.runs.domain.metrics import Metric
from benchmarking.runs.queries.runs import RunView
from governance.site.domain.charts.chart import PageChart
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import is_quality_metric
from weighbridge.core.metrics.values import MetricValue

_GROUPS = (
    ("Speed", ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s", "error_rate")),
    ("Quality", ("accuracy", "f1_macro", "precision_macro", "recall_macro", "roc_auc", "mae", "rmse", "r2", "mape")),
    (
        "Size and start",
        ("model_size_mb", "parameters", "peak_memory_mb", "peak_memory_delta_mb", "load_time_ms", "first_inference_ms"),
    ),
)
_NS_PER_MS = 1_000_000
_CLASSES_MAX = 20
_PARTS = ("machine", "engine", "settings", "model", "inputs", "data", "libraries")
_UNITS = {"mb": "MB", "ms": "ms", "s": "s"}
_LABELS = {"cpu": "CPU", "cpus": "CPUs", "os": "system", "max": "most", "min": "least"}


@dataclass(frozen=True)
class Group:
    """Metric values about one topic."""

    title: str
    metric_values: tuple[MetricValue, ...]


@dataclass(frozen=True)
class Conditions:
    """One section of the manifest: names and values as text."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ConfusionCell:
    """A cell of the confusion matrix; `share` is its share of the row, 0 to 1."""

    count: int
    share: float
    is_hit: bool


@dataclass(frozen=True)
class ConfusionMatrix:
    """A confusion matrix: pairs of the name of a class and its row; the columns are the same classes."""

    rows: tuple[tuple[str, tuple[ConfusionCell, ...]], ...]


def groups_of(view: RunView, *, doubt: str = "") -> tuple[Group, ...]:
    """Return the metric values in groups; "Other" has the metrics without a group.

    With a `doubt` about the evaluation data, quality values are declared, not measured.
    """
    grouped = {name for _, names in _GROUPS for name in names}
    by_name = {metric.name: metric for metric in view.metrics}
    named = [(title, [by_name[name] for name in names if name in by_name]) for title, names in _GROUPS]
    named.append(("Other", [metric for metric in view.metrics if metric.name not in grouped]))
    observed_at = view.finished_at or view.created_at

    def measured(metric: Metric) -> MetricValue:
        basis = Basis.DECLARED if doubt and is_quality_metric(metric.name) else Basis.MEASURED
        return MetricValue(**vars(metric), basis=basis, observed_at=observed_at)

    return tuple(Group(title, tuple(map(measured, group))) for title, group in named if group)


def distribution_of(view: RunView, *, result: Mapping[str, Any]) -> PageChart | None:
    """Return the latency histogram; None if the result has no samples or all are equal."""
    samples = [value / _NS_PER_MS for value in result.get("samples", {}).get("latency_ns", ())]
    percentiles = {
        metric.name.removeprefix("latency_").removesuffix("_ms"): float(metric.value)
        for metric in view.metrics
        if metric.name.startswith("latency_p")
    }
    return latency_chart(samples, percentiles)


def stride_of(result: Mapping[str, Any]) -> int:
    """Return the stride of the stored samples: the result stores one of every `stride`."""
    return int(result.get("samples", {}).get("stride", 1))


def confusion_of(result: Mapping[str, Any]) -> ConfusionMatrix | None:
    """Return the matrix with the names of its classes; None if absent or too large to read."""
    counts: Sequence[Sequence[int]] = result.get("confusion") or ()
    if not counts or len(counts) > _CLASSES_MAX:
        return None
    rows = tuple(
        tuple(ConfusionCell(count, round(count / (sum(row) or 1), 3), at == place) for at, count in enumerate(row))
        for place, row in enumerate(counts)
    )
    return ConfusionMatrix(tuple(zip(_class_names(result, counts), rows, strict=True)))


def _class_names(result: Mapping[str, Any], counts: Sequence[Sequence[int]]) -> list[str]:
    """The names of the classes; the result names those that occur, in order, and the others keep their number."""
    occurs = [place for place, row in enumerate(counts) if sum(row) + sum(other[place] for other in counts)]
    named = [str(entry.get("class")) for entry in result.get("per_class") or ()]
    by_place = dict(zip(occurs, named, strict=True)) if len(named) == len(occurs) else {}
    return [by_place.get(place, str(place)) for place in range(len(counts))]


def conditions_of(manifest: Mapping[str, Any]) -> tuple[Conditions, ...]:
    """Return the sections of the manifest, the machine first; nested names are joined."""
    parts = {title: content for title, content in manifest.items() if isinstance(content, Mapping) and content}
    order = [title for title in _PARTS if title in parts] + [title for title in parts if title not in _PARTS]
    rest = {name: value for name, value in manifest.items() if not isinstance(value, Mapping)}
    named = [(title, parts[title]) for title in order] + [("other", rest)] * bool(rest)
    return tuple(Conditions(title, tuple(_flat(content))) for title, content in named)


def _flat(content: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        label = f"{before} {_label(name)}".strip()
        if isinstance(value, Mapping) and value:
            pairs += _flat(value, label)
        else:
            pairs.append((label, _text(value)))
    return pairs


def _label(name: str) -> str:
    """Turn a manifest key into a label: "memory_mb" -> "memory (MB)", "cpus_usable" -> "CPUs usable"."""
    base, _, last = name.rpartition("_")
    if base and last in _UNITS:
        return f"{_label(base)} ({_UNITS[last]})"
    return " ".join(_LABELS.get(part, part) for part in name.split("_") if part != "is")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items()) or "none"
    return "none" if value is None else str(value)
