"""The metrics that decide about a request: claimed, measured, limit, and the version that is in production."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.upper_limits import PolicyLimit
from governance.site.domain.charts.metric_scales import MetricScale, ScaleLimit, metric_scale
from reviews.evidence.queries.metric_views import MetricView
from reviews.evidence.queries.references import ProductionVersion, version_in_production
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.workflow.domain.headline import RankedMetric, headline_metrics
from weighbridge.core.metrics.values import MetricValue

OPEN = frozenset({RuleStatus.FIRED, RuleStatus.INDETERMINATE})


@dataclass(frozen=True)
class DecidingMetrics:
    """The metrics of the decision screen, and the version in production, if there is one."""

    metrics: tuple[MetricScale, ...]
    production: ProductionVersion | None


def deciding_metrics(evidence: EvidenceSnapshot, *, metrics: Sequence[MetricView]) -> DecidingMetrics:
    """At most seven metrics of the request, the contradicted and the limited ones first in importance.

    Each is shown with the value on which the policy is evaluated: a value on record counts instead of a lower claim.
    """
    request = evidence.request
    groups = {metric.kind.name: metric.kind.group.value for metric in metrics}
    names = headline_metrics(map(_facts, metrics), groups=groups)
    by_name: Mapping[str, MetricView] = {metric.kind.name: metric for metric in metrics}
    version = version_in_production(request, metrics=names)
    values = version.values if version else {}
    scales = (_scale(request, by_name[name], values.get(name)) for name in names)
    return DecidingMetrics(tuple(scales), version)


def _scale(request: ReviewRequest, metric: MetricView, production: MetricValue | None) -> MetricScale:
    # A claim that counts itself is drawn once, with its basis.
    claimed = None if metric.best is None or metric.claimed == metric.best else metric.claimed
    shown = metric_scale(
        metric.kind.title,
        unit=metric.kind.unit,
        direction=metric.kind.direction,
        measured=metric.best,
        claimed=claimed.value if claimed else None,
        limit=_limit(metric.limit) if metric.limit else None,
        production=production.value if production else None,
        href=reverse("reviews:metric", args=[request.ref, metric.kind.name]),
    )
    # The page of the metric says how certain the value is and where it comes from.
    return replace(shown, source="", n=None, confidence=None)


def _limit(limit: PolicyLimit) -> ScaleLimit:
    comparator = limit.comparator
    return ScaleLimit(limit.value, comparator.words, is_upper=comparator.is_ceiling, status=limit.status.value)


def _facts(metric: MetricView) -> RankedMetric:
    return RankedMetric(
        name=metric.kind.name,
        is_contradicted=bool(metric.contradiction),
        breaks_limit=metric.limit is not None and metric.limit.status in OPEN,
        has_limit=metric.limit is not None,
        is_measured=metric.measured is not None,
        is_claimed=metric.claimed is not None,
    )
