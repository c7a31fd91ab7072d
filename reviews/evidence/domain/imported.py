"""Results of other tools that a person imports: which of their values become metric values of the request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricGroup, Producer
from weighbridge.readers.imported_result import ImportedMetric, ImportedResult, ImportStatus
from weighbridge.readers.study_kinds import StudyKind

METRICS_MAX = 200
OTHER_DATA = "It was measured on other data than the evaluation set of the request."
"""Metrics of one result that are taken, or named as left out."""


@dataclass(frozen=True)
class TakenValues:
    """The metrics that are taken, and the reason for each one that is not."""

    metrics: tuple[ImportedMetric, ...]
    left_out: Mapping[str, str]


def check_imported(result: ImportedResult, *, subject: str) -> None:
    """Raise Invalid for a result that is no evidence by its own verdict, or about another subject."""
    if result.verdict.status is ImportStatus.INVALID:
        reasons = " ".join(doubt.message for doubt in result.verdict.doubts)
        raise Invalid(f"The result is no evidence. {reasons}", code="invalid_result", field="file")
    if result.model.digest not in {None, subject}:
        text = f"The result is about {result.model.digest}, and the request about {subject}."
        raise Invalid(text, code="other_subject", field="file")


def taken_values(result: ImportedResult, *, catalog: MetricCatalog, data: str) -> TakenValues:
    """The metrics that the catalog lets a person declare; `data` is the digest of the evaluation set, "" for none.

    Raises Invalid for more than `METRICS_MAX`.
    """
    reasons = dict(_left_out(result, catalog, data))
    metrics = tuple(metric for metric in result.metrics if metric.name not in reasons)
    if len(metrics) > METRICS_MAX:
        text = f"The result has {len(metrics):,} metrics of the catalog; at most {METRICS_MAX} are taken from a file."
        raise Invalid(text, code="too_many_metrics", field="file")
    return TakenValues(metrics, dict(islice(reasons.items(), METRICS_MAX)))


def _left_out(result: ImportedResult, catalog: MetricCatalog, data: str) -> Iterator[tuple[str, str]]:
    for metric in result.metrics:
        reason = _reason(metric, result, catalog, data)
        if reason:
            yield metric.name, reason


def _reason(metric: ImportedMetric, result: ImportedResult, catalog: MetricCatalog, data: str) -> str:
    """Why the metric is not taken; "" if it is."""
    if result.study is not None and result.study.kind == StudyKind.DEVICE:
        return "It was measured on a device, not where requests are served; the study shows it."
    if metric.name not in catalog:
        return "The metric catalog does not have it."
    kind = catalog[metric.name]
    if metric.unit != kind.unit:
        return f"It is in {metric.unit}, and the catalog has it in {kind.unit}."
    if kind.is_retired or Producer.PERSON not in kind.producers or Basis.DECLARED not in kind.bases:
        return "The catalog does not let a person declare it."
    if kind.group is MetricGroup.QUALITY and result.data.digest is not None and result.data.digest != data:
        return OTHER_DATA
    return ""
