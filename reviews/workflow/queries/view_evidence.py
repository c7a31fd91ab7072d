"""The evidence of a request for page and API: checklist items and runs."""

from dataclasses import dataclass
from datetime import datetime

from benchmarking.runs.queries.runs import RunView
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.evaluation.completeness import ItemStatus
from reviews.evidence.models import ChecklistAnswer
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.copies import copy_of
from reviews.snapshots.queries.allowed_steps import (
    AllowedStep,
    allowed_step,
    check_can_answer,
    check_can_cancel,
    check_can_measure_again,
)
from reviews.snapshots.queries.snapshot import RequestSnapshot
from weighbridge.core.metrics.values import MetricValue


@dataclass(frozen=True, kw_only=True)
class ChecklistItemView:
    """A checklist item with its answer."""

    id: str
    kind: str
    title: str
    help: str
    is_required: bool
    is_complete: bool
    reason: str
    metrics: tuple[str, ...]
    metric_values: tuple[MetricValue, ...]
    min_length: int
    options: tuple[str, ...]
    studies: tuple[str, ...]
    answered_by_roles: tuple[str, ...]
    shown_when: str
    is_waived: bool
    inherited_from: str
    may_waive: bool
    text: str
    file_name: str
    file_digest: str
    is_attested: bool
    answered_by: str
    answered_at: datetime | None
    answer_digest: str

    @property
    def is_answered_by_metrics(self) -> bool:
        """Whether metric values answer the item, not people."""
        return bool(self.metrics)

    @property
    def is_answered_by_people(self) -> bool:
        """Whether people answer the item, not metric values or studies."""
        return not self.metrics and not self.studies


@dataclass(frozen=True)
class RunEntry:
    """A run of the request, and the steps this person may take on it."""

    run: RunView
    cancel: AllowedStep
    repeat: AllowedStep


def item_views(evidence: EvidenceSnapshot) -> tuple[ChecklistItemView, ...]:
    """Every checklist item; none before the request is submitted."""
    answers = {row.item: row for row in evidence.answers}
    return tuple(_item_view(status, answers.get(status.item.id)) for status in evidence.checklist)


def answerable(snapshot: RequestSnapshot, *, person: Person) -> tuple[str, ...]:
    """The checklist items that the person may answer now."""
    items = (status.item for status in snapshot.evidence.checklist if status.item.kind.is_answered_by_people)
    steps = {item.id: allowed_step(check_can_answer, snapshot, person=person, item=item) for item in items}
    return tuple(name for name, step in steps.items() if step.is_allowed)


def run_entries(snapshot: RequestSnapshot, *, person: Person) -> tuple[RunEntry, ...]:
    """Every run of the request, latest first."""
    rows = zip(snapshot.evidence.runs, snapshot.evidence.run_views, strict=True)
    return tuple(
        RunEntry(
            view,
            cancel=allowed_step(check_can_cancel, run, person=person),
            repeat=allowed_step(check_can_measure_again, snapshot, person=person, run=run),
        )
        for run, view in reversed([*rows])
    )


def _item_view(status: ItemStatus, answer: ChecklistAnswer | None) -> ChecklistItemView:
    item, row, parent = status.item, answer or ChecklistAnswer(), status.inherited
    return copy_of(
        item,
        ChecklistItemView,
        kind=item.kind.value,
        is_required=item.required,
        is_complete=status.is_complete,
        answered_by_roles=item.answered_by,
        shown_when=item.shown_when.words,
        is_waived=status.is_waived,
        inherited_from=parent.inherited_from if parent else "",
        reason=status.reason,
        metric_values=status.metric_values,
        text=parent.text if parent else row.text,
        file_name=row.file_name,
        file_digest=row.file_digest,
        is_attested=row.is_attested,
        answered_by=name_of(answer.answered_by) if answer else "",
        answered_at=row.answered_at,
        answer_digest=row.digest,
    )
