"""Which items of a checklist a request must answer, and which of them are answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from governance.rulebook.domain.checklists import (
    Answerer,
    Checklist,
    ChecklistItem,
    ChecklistReply,
    ItemKind,
    ShownWhen,
)
from governance.rulebook.domain.evaluation.limits import NO_REFERENCES, EvaluationCase, RuleStatus, judge_limit
from governance.rulebook.domain.evaluation.metric_index import MetricIndex
from governance.rulebook.domain.scopes import EvaluationSubject
from weighbridge.core.canonical import is_digest
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.values import MetricValue, best, is_current, is_sound

NONE_WAIVED: Mapping[str, str] = MappingProxyType({})
NO_STUDIES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ItemStatus:
    """An item with its state: the metric values that answer it, or the reason why it is open or not applicable."""

    item: ChecklistItem
    is_complete: bool
    reason: str
    metric_values: tuple[MetricValue, ...] = ()
    is_waived: bool = False
    inherited: ChecklistReply | None = None


def completeness(
    checklist: Checklist,
    *,
    subject: EvaluationSubject,
    answers: Sequence[ChecklistReply],
    index: MetricIndex,
    now: datetime,
    waived: Mapping[str, str] = NONE_WAIVED,
    inherited: Sequence[ChecklistReply] = (),
    studies: Mapping[str, str] = NO_STUDIES,
) -> tuple[ItemStatus, ...]:
    """One status for each item that is shown, in the order of the checklist.

    Of several answers of an item, the latest counts. `waived` has the reason for each item that is not applicable,
    `studies` the words for the latest attached study of each kind.
    `inherited` are answers of parents; they complete text items of the team or the owner that have no own answer, and
    change neither which items are shown nor any other item.
    """
    latest = {answer.item_id: answer for answer in sorted(answers, key=lambda each: each.answered_at)}
    parents = {answer.item_id: answer for answer in inherited}
    case = EvaluationCase(subject=subject, index=index, now=now, references=NO_REFERENCES)
    return tuple(
        _with_inherited(_status(item, latest.get(item.id), case, waived, studies), latest, parents)
        for item in checklist.items
        if _is_shown(item.shown_when, latest, case)
    )


def _is_shown(shown: ShownWhen, latest: Mapping[str, ChecklistReply], case: EvaluationCase) -> bool:
    """Whether the item is shown. What is not known yet does not hide an item."""
    if not shown.scope.covers(case.subject):
        return False
    if shown.limit is not None and judge_limit(shown.limit, case).status is RuleStatus.FIRED:
        return False
    reply = latest.get(shown.item)
    return reply is None or reply.text in shown.one_of


def _with_inherited(
    status: ItemStatus, latest: Mapping[str, ChecklistReply], parents: Mapping[str, ChecklistReply]
) -> ItemStatus:
    item, parent = status.item, parents.get(status.item.id)
    is_for_team = set(item.answered_by) <= set(Answerer)
    if parent is None or status.is_complete or item.id in latest or item.kind is not ItemKind.TEXT or not is_for_team:
        return status
    gap = _gap(item, parent)
    return status if gap else ItemStatus(item, True, f"Inherited from {parent.inherited_from}.", inherited=parent)


def _status(
    item: ChecklistItem,
    answer: ChecklistReply | None,
    case: EvaluationCase,
    waived: Mapping[str, str],
    studies: Mapping[str, str],
) -> ItemStatus:
    if item.id in waived and item.may_waive:
        return ItemStatus(item, True, f"Not applicable: {waived[item.id]}", is_waived=True)
    if item.kind.is_answered_by_metrics:
        return _by_metrics(item, case)
    if item.kind is ItemKind.STUDY:
        return _by_study(item, studies)
    return _by_person(item, answer)


def is_complete(statuses: Sequence[ItemStatus]) -> bool:
    """True if all required items are answered."""
    return all(status.is_complete for status in statuses if status.item.required)


def _by_metrics(item: ChecklistItem, case: EvaluationCase) -> ItemStatus:
    matching: list[MetricValue] = []
    gaps: list[str] = []
    catalog = case.index.catalog
    for name in item.metrics:
        named = case.index.metric_values.get(name, ())
        sound = [metric_value for metric_value in named if is_sound(metric_value, catalog=catalog)]
        metric_value = best(sound, name=name, catalog=catalog, accept=item.accept)
        if metric_value is None:
            gaps.append(f"{metric_words(name)} needs a {' or '.join(item.accept)} value")
        elif not is_current(metric_value, now=case.now):
            gaps.append(f"the value of {metric_words(name)} expired on {metric_value.valid_until:%Y-%m-%d}")
        else:
            matching.append(metric_value)
    why = f"Still open: {'; '.join(gaps)}." if gaps else "Every metric has a value of an accepted basis."
    return ItemStatus(item, not gaps, why, tuple(matching))


def _by_study(item: ChecklistItem, studies: Mapping[str, str]) -> ItemStatus:
    found = [studies[kind] for kind in item.studies if kind in studies]
    wanted = " or ".join(kind.words for kind in item.studies)
    return ItemStatus(item, bool(found), f"Answered by: {'; '.join(found)}." if found else f"Still open: {wanted}.")


def _by_person(item: ChecklistItem, answer: ChecklistReply | None) -> ItemStatus:
    if answer is None:
        return ItemStatus(item, False, "This item has no answer yet.")
    gap = _gap(item, answer)
    return ItemStatus(item, not gap, gap or f"Answered by {answer.answered_by}.")


def _gap(item: ChecklistItem, answer: ChecklistReply) -> str:
    if item.kind is ItemKind.TEXT and len(answer.text.strip()) < item.min_length:
        return f"The answer needs at least {item.min_length} characters; it has {len(answer.text.strip())}."
    if item.kind is ItemKind.CHOICE and answer.text not in item.options:
        return f"The answer must be one of {', '.join(item.options)}."
    if item.kind is ItemKind.FILE and not is_digest(answer.file_digest):
        return "No file is attached. Upload one."
    if item.kind is ItemKind.ATTESTATION and not answer.attested_by:
        return "A person must attest this."
    return ""
