"""The metrics of a request for page, API and packet: claim, measurement and limit side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.snapshot import EvidenceSnapshot, PolicyLimit
from weighbridge.core.metrics import values as metrics
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition
from weighbridge.core.metrics.values import MetricValue, is_current

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
MEASURED = stronger_or_equal(Basis.ATTESTED)
"""The bases of values that were measured: elsewhere and signed, here, or on a bill."""


@dataclass(frozen=True, kw_only=True)
class MetricView:
    """A metric of the catalog with the value that counts, the latest claim, the best measurement, and the limit.

    `verdict` is that of the run or of the signed result behind the value that counts.
    """

    kind: MetricDefinition
    best: MetricValue | None
    claimed: MetricValue | None
    measured: MetricValue | None
    limit: PolicyLimit | None
    is_expired: bool
    run_id: int | None
    verdict: str
    contradiction: str
    answer: str
    answered_by: str
    history: tuple[MetricValue, ...]

    @property
    def claimed_or_computed(self) -> MetricValue | None:
        """The latest claim; without one, a total that is computed from the claims of its parts."""
        is_computed = self.claimed is None and self.best is not None and self.best.basis in CLAIMED
        return self.best if is_computed else self.claimed


def metric_views(evidence: EvidenceSnapshot) -> tuple[MetricView, ...]:
    """One entry for each metric with a value or a limit, in the order of the catalog."""
    present = {value.name for value in (*evidence.metric_values, *evidence.own_values)} | evidence.limits.keys()
    return tuple(_metric_view(evidence.catalog[name], evidence) for name in evidence.catalog.in_order(present))


def _metric_view(kind: MetricDefinition, evidence: EvidenceSnapshot) -> MetricView:
    name, now = kind.name, evidence.now
    own = [metric_value for metric_value in evidence.metric_values if metric_value.name == name]
    best = metrics.best(evidence.own_values, name=name, catalog=evidence.catalog)
    row = next((record for record in evidence.metric_records if best and str(record.pk) == best.id), None)
    contradicted = next((row for row in evidence.contradictions if row.contradiction.name == name), None)
    return MetricView(
        kind=kind,
        best=best,
        claimed=_latest_claim(own, kind, evidence.catalog),
        measured=metrics.best(own, name=name, catalog=evidence.catalog, accept=MEASURED),
        limit=evidence.limits.get(name),
        is_expired=best is not None and not is_current(best, now=now),
        run_id=row.run_id if row else None,
        verdict=verdict_of(row) if row else "",
        contradiction=contradicted.contradiction.message if contradicted else "",
        answer=contradicted.answer if contradicted else "",
        answered_by=contradicted.answered_by if contradicted else "",
        history=tuple(reversed(own)),
    )


def verdict_of(row: MetricRecord) -> str:
    """The verdict of the run or of the signed result behind a value; "" for others."""
    source = row.run or row.statement
    return source.verdict if source else ""


def _latest_claim(
    metric_values: Sequence[MetricValue], kind: MetricDefinition, catalog: MetricCatalog
) -> MetricValue | None:
    """The latest claim, as for contradictions: a correction counts even if its basis is weaker."""
    claims = [metric_value for metric_value in metric_values if metric_value.basis in CLAIMED]
    latest_at = max((metric_value.observed_at for metric_value in claims), default=None)
    latest = [metric_value for metric_value in claims if metric_value.observed_at == latest_at]
    return metrics.best(latest, name=kind.name, catalog=catalog)
