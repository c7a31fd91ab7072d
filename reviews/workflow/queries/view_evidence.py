"""The evidence of a request for page and API: facts claimed beside measured, checklist items, runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarking.runs.queries.runs import RunView
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.checklists import ItemStatus
from reviews.evidence.models import ChecklistAnswer
from reviews.evidence.queries.snapshot import EvidenceSnapshot, Limit
from reviews.snapshots.queries import allowed_steps as possible
from reviews.snapshots.queries.allowed_steps import Possible
from reviews.snapshots.queries.snapshot import RequestSnapshot
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import CATALOGUE, Basis, FactKind, Figure, is_current

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
MEASURED = facts.stronger_or_equal(Basis.MEASURED)


@dataclass(frozen=True, kw_only=True)
class FactView:
    """A fact of the catalogue with the figure that counts, the latest claim, the best measurement, and the limit."""

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


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """A checklist item with what stands for it."""

    id: str
    kind: str
    title: str
    help: str
    is_required: bool
    is_complete: bool
    why: str
    facts: tuple[str, ...]
    figures: tuple[Figure, ...]
    min_length: int
    text: str
    file_name: str
    file_digest: str
    is_attested: bool
    answered_by: str
    answered_at: datetime | None

    @property
    def is_answered_by_facts(self) -> bool:
        """True where figures answer, not people."""
        return bool(self.facts)


@dataclass(frozen=True)
class RunEntry:
    """A run of the request, and what this person may do with it."""

    run: RunView
    cancel: Possible
    repeat: Possible


def fact_views(evidence: EvidenceSnapshot) -> tuple[FactView, ...]:
    """One entry for each fact that has a figure or a limit, in the order of the catalogue."""
    present = {figure.name for figure in evidence.figures} | evidence.limits.keys()
    return tuple(_fact_view(CATALOGUE[name], evidence) for name in CATALOGUE if name in present)


def item_views(evidence: EvidenceSnapshot) -> tuple[ItemView, ...]:
    """Every checklist item; none before submission fixed a checklist."""
    answers = {row.item: row for row in evidence.answers}
    return tuple(_item_view(status, answers.get(status.item.id)) for status in evidence.checklist)


def run_entries(snapshot: RequestSnapshot, *, person: Person) -> tuple[RunEntry, ...]:
    """Every run the request asked for, latest first."""
    rows = zip(snapshot.evidence.runs, snapshot.evidence.run_views, strict=True)
    return tuple(RunEntry(view, *possible.on_run(snapshot, person=person, run=run)) for run, view in reversed([*rows]))


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


def _item_view(status: ItemStatus, answer: ChecklistAnswer | None) -> ItemView:
    item = status.item
    return ItemView(
        id=item.id,
        kind=item.kind.value,
        title=item.title,
        help=item.help,
        is_required=item.required,
        is_complete=status.is_complete,
        why=status.why,
        facts=item.facts,
        figures=status.figures,
        min_length=item.min_length,
        text=answer.text if answer else "",
        file_name=answer.file_name if answer else "",
        file_digest=answer.file_digest if answer else "",
        is_attested=bool(answer and answer.is_attested),
        answered_by=name_of(answer.answered_by) if answer else "",
        answered_at=answer.answered_at if answer else None,
    )
