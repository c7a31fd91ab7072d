"""Imported runs: convert the runs of a tracker to candidates for `pareto` and `recommend`.

A run logged by weighbridge has its own metrics with intervals. For other runs, the requested numbers are used without
an interval and without a verdict.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.candidates import Candidate, Candidates, Estimate, Measurement, VariantAnswer, VariantVerdict
from weighbridge.tradeoff.shapes import read

RESULT = "weighbridge.result/1"
UNITS = {"_ms": "ms", "_mb": "MB", "_per_s": "1/s", "_usd": "USD"}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A metric to import: `metric` is the name in weighbridge, `key` the name in the tracker, and its unit."""

    metric: str
    key: str
    unit: str


def wanted_of(text: str) -> Wanted:
    """Read `accuracy`, `accuracy=val_acc` or `joules=energy:J`; raise Invalid for other text."""
    names, _, unit = text.partition(":")
    metric, _, key = names.partition("=")
    if not metric or not (key or "=" not in names):
        raise Invalid(f"{text!r} is not a metric; write METRIC, METRIC=KEY or METRIC=KEY:UNIT.", field="metric")
    usual = next((known for ending, known in UNITS.items() if metric.endswith(ending)), "ratio")
    return Wanted(metric, key or metric, unit or usual)


def candidates_of(
    runs: Iterable[Mapping[str, Any]], *, wanted: Sequence[Wanted], baseline: str | None, at: str
) -> Candidates:
    """Convert `MlflowTracker.documents` to candidates, the first is the default baseline; raise Invalid without any."""
    found: dict[str, Candidate] = {}
    for run in runs:
        name = run["name"] if run["name"] not in found else f"{run['name']}-{run['run_id'][:8]}"
        metrics = _metrics(run, wanted)
        if metrics:
            found[name] = _candidate(run, name, metrics)
    if not found:
        names = ", ".join(each.key for each in wanted) or "the metrics of weighbridge"
        text = f"No run has {names}; name other metrics with --metric METRIC=KEY."
        raise Invalid(text, code="no_metrics", field="metric")
    return Candidates(measured_at=at, baseline=baseline or next(iter(found)), candidates=tuple(found.values()))


def _candidate(run: Mapping[str, Any], name: str, metrics: Mapping[str, Estimate]) -> Candidate:
    own = _own(run)
    return Candidate(
        name=name,
        family="imported",
        made_by=f"run {run['run_id']} of the tracker",
        metrics=metrics,
        verdict=VariantVerdict(VariantAnswer.UNCOMPARED),
        measurement=read(Measurement, own["verdict"], "verdict") if own else None,
        digest=own["manifest"]["model"]["digest"] if own else None,
    )


def _metrics(run: Mapping[str, Any], wanted: Sequence[Wanted]) -> dict[str, Estimate]:
    own = _own(run)
    metrics = {name: read(Estimate, metric, name) for name, metric in own["metrics"].items()} if own else {}
    taken = {each.metric: run["metrics"][each.key] for each in wanted if each.key in run["metrics"]}
    units = {each.metric: each.unit for each in wanted}
    return metrics | {
        name: Estimate(float(value), None, None, None, 1, units[name])
        for name, value in taken.items()
        if name not in metrics
    }


def _own(run: Mapping[str, Any]) -> Mapping[str, Any] | None:
    document: Mapping[str, Any] | None = run["document"]
    return document if document is not None and document.get("schema") == RESULT else None
