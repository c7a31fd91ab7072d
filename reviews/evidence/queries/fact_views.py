"""The metric values of a request, claimed beside measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reviews.evidence.queries.snapshot import EvidenceSnapshot, Limit
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import CATALOG, Basis, FactKind, Figure, is_current

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
MEASURED = facts.stronger_or_equal(Basis.MEASURED)


@dataclass(frozen=True, kw_only=True)
class FactView:
    """A fact of the catalog with the figure that counts, the latest claim, the best measurement, and the limit."""

    kind: FactKind
    best: Figure | None
    claimed: Figure | None
    measured: Figure | None
    limit: Limit | None
    is_expired: bool
    run_id: int | None
    verdict: str
    contradiction: str
    answer: str
    answered_by: str
    history: tuple[Figure, ...]


def fact_views(evidence: EvidenceSnapshot) -> tuple[FactView, ...]:
    """One entry for each fact that has a figure or a limit, in the order of the catalog."""
    present = {figure.name for figure in evidence.figures} | evidence.limits.keys()
    return tuple(_fact_view(CATALOG[name], evidence) for name in CATALOG if name in present)


def _fact_view(kind: FactKind, evidence: EvidenceSnapshot) -> FactView:
    name, now = kind.name, evidence.now
    own = [figure for figure in evidence.figures if figure.name == name]
    best = facts.best(own, name=name, now=now)
    row = next((fact for fact in evidence.facts if best and str(fact.pk) == best.id), None)
    contradicted = next((each for each in evidence.contradictions if each.contradiction.name == name), None)
    return FactView(
        kind=kind,
        best=best,
        claimed=_latest_claim(own, name, now),
        measured=facts.best(own, name=name, now=now, accept=MEASURED),
        limit=evidence.limits.get(name),
        is_expired=best is not None and not is_current(best, now=now),
        run_id=row.run_id if row else None,
        verdict=row.run.verdict if row and row.run else "",
        contradiction=contradicted.contradiction.message if contradicted else "",
        answer=contradicted.answer if contradicted else "",
        answered_by=contradicted.answered_by if contradicted else "",
        history=tuple(reversed(own)),
    )


def _latest_claim(figures: Sequence[Figure], name: str, now: datetime) -> Figure | None:
    """The latest claim, as contradictions take it: whoever corrects a figure downwards in basis still corrects it."""
    claims = [figure for figure in figures if figure.basis in CLAIMED]
    latest_at = max((figure.observed_at for figure in claims), default=None)
    return facts.best([figure for figure in claims if figure.observed_at == latest_at], name=name, now=now)
