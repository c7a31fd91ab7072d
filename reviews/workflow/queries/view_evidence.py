"""The evidence of a request for page and API: facts claimed beside measured, checklist items, runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import RunView
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.checklists import ItemStatus
from governance.rulebook.domain.evaluation import RuleStatus
from governance.rulebook.domain.policy import Comparator
from reviews.evidence.models import ChecklistAnswer, Fact
from reviews.evidence.queries.evidence import (
    AnsweredContradiction,
    checklist_status,
    contradictions_of,
    determine,
    figure_of,
)
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from reviews.workflow.queries import possible
from reviews.workflow.queries.possible import Possible
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import CATALOGUE, Basis, Direction, FactKind, Figure, is_current

CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})


@dataclass(frozen=True)
class Limit:
    """The tightest limit the policy sets a fact for this request, and how its rule stands now."""

    value: Decimal
    comparator: Comparator
    rule_id: str
    status: RuleStatus


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


def fact_views(request: ReviewRequest, *, now: datetime) -> tuple[FactView, ...]:
    """One entry for each fact that has a figure or a limit, in the order of the catalogue."""
    rows = list(request.facts.select_related("run").order_by("pk"))
    figures = [figure_of(row) for row in rows]
    limits = _limits(request, now)
    contradicted = {each.contradiction.name: each for each in contradictions_of(request, now=now)}
    present = {figure.name for figure in figures} | limits.keys()
    by_id = {str(row.pk): row for row in rows}
    return tuple(
        _fact_view(CATALOGUE[name], figures, by_id, limits.get(name), contradicted.get(name), now)
        for name in CATALOGUE
        if name in present
    )


def item_views(request: ReviewRequest, *, now: datetime) -> tuple[ItemView, ...]:
    """Every checklist item; none before submission fixed a checklist."""
    answers = {row.item: row for row in request.checklist_answers.select_related("answered_by")}
    return tuple(_item_view(status, answers.get(status.item.id)) for status in checklist_status(request, now=now))


def run_entries(request: ReviewRequest, *, person: Person) -> tuple[RunEntry, ...]:
    """Every run the request asked for, latest first."""
    rows = reversed(runs.of_request(request.ref))
    return tuple(
        RunEntry(runs.describe(run), *possible.on_run(run=run, request=request, person=person)) for run in rows
    )


def _fact_view(
    kind: FactKind,
    figures: Sequence[Figure],
    by_id: Mapping[str, Fact],
    limit: Limit | None,
    contradicted: AnsweredContradiction | None,
    now: datetime,
) -> FactView:
    own = [figure for figure in figures if figure.name == kind.name]
    best = facts.best(own, name=kind.name, now=now)
    row = by_id[best.id] if best else None
    return FactView(
        kind=kind,
        best=best,
        claimed=_latest_claim(own, kind.name, now),
        measured=facts.best(own, name=kind.name, now=now, accept=facts.stronger_or_equal(Basis.MEASURED)),
        limit=limit,
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


def _limits(request: ReviewRequest, now: datetime) -> dict[str, Limit]:
    if request.policy is None:
        return {}
    statuses = {each.rule_id: each.status for each in determine(request, now=now).results}
    found: dict[str, Limit] = {}
    for rule in policy_of(request.policy).rules:
        known = found.get(rule.fact)
        is_applying = statuses[rule.id] is not RuleStatus.NOT_APPLICABLE
        if is_applying and (known is None or _is_tighter(rule.fact, rule.limit, known.value)):
            found[rule.fact] = Limit(rule.limit, rule.comparator, rule.id, statuses[rule.id])
    return found


def _is_tighter(name: str, limit: Decimal, known: Decimal) -> bool:
    return limit < known if CATALOGUE[name].direction is Direction.LOWER else limit > known


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
