"""The metrics of a request for page, API and packet: claim, measurement and limit side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.rulebook.domain.evaluation.upper_limits import PolicyLimit
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from weighbridge.core.canonical import digest_of
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

    `verdict` is that of the run or of the signed result behind the value that counts. `is_worse`: the claim that
    `contradiction` is about was more favorable than the measurement. `is_on_record`: the value that counts is one on
    record for the artifact, instead of a claim that is more favorable.
    """

    kind: MetricDefinition
    best: MetricValue | None
    is_on_record: bool
    claimed: MetricValue | None
    measured: MetricValue | None
    limit: PolicyLimit | None
    is_expired: bool
    run_id: int | None
    verdict: str
    contradiction: str
    is_worse: bool
    answer: str
    answered_by: str
    history: tuple[MetricValue, ...]

    @property
    def answer_digest(self) -> str:
        """The digest of the explanation, by which a writer says which one they saw."""
        return digest_of(self.answer)

    @property
    def on_record(self) -> MetricValue | None:
        """The value that counts, if it is one on record for the artifact instead of a claim."""
        return self.best if self.is_on_record else None

    @property
    def derived(self) -> MetricValue | None:
        """The value that counts, if it is computed: from a file of the model, or a total from claims of its parts."""
        if self.best is None or self.is_on_record:
            return None
        is_total = self.claimed is None and self.best.basis in CLAIMED
        return self.best if is_total or self.best.basis is Basis.DERIVED else None

    @property
    def is_total(self) -> bool:
        """Whether the derived value is a total of claims."""
        return self.derived is not None and self.derived.basis in CLAIMED


def metric_views(evidence: EvidenceSnapshot) -> tuple[MetricView, ...]:
    """One entry for each metric with a value or a limit, in the order of the catalog."""
    present = {value.name for value in (*evidence.metric_values, *evidence.counted_values)} | evidence.limits.keys()
    return tuple(_metric_view(evidence.catalog[name], evidence) for name in evidence.catalog.in_order(present))


def _metric_view(kind: MetricDefinition, evidence: EvidenceSnapshot) -> MetricView:
    name, now = kind.name, evidence.now
    own = [metric_value for metric_value in evidence.metric_values if metric_value.name == name]
    best = metrics.best(evidence.counted_values, name=name, catalog=evidence.catalog)
    row = next((record for record in evidence.metric_records if best and str(record.pk) == best.id), None)
    contradicted = next((row for row in evidence.contradictions if row.contradiction.name == name), None)
    return MetricView(
        kind=kind,
        best=best,
        is_on_record=best in evidence.binding_values,
        claimed=_latest_claim(own, kind, evidence.catalog),
        measured=metrics.best(own, name=name, catalog=evidence.catalog, accept=MEASURED),
        limit=evidence.limits.get(name),
        is_expired=best is not None and not is_current(best, now=now),
        run_id=row.run_id if row else None,
        verdict=verdict_of(row) if row else "",
        contradiction=contradicted.contradiction.message if contradicted else "",
        is_worse=contradicted is not None and contradicted.contradiction.is_worse,
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
