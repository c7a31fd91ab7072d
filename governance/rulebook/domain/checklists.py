"""The standard checklist of a review: which questions it asks, and which of them are answered.

Metric and cost items are answered by metrics of an accepted basis, never by prose. Whether an answer convinces is for
the reviewers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from weighbridge.core.canonical import digest_of, is_digest
from weighbridge.core.catalog import CATALOG
from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.metrics import Basis, MetricValue, best, is_current, is_sound, stronger_or_equal

KIND = "ReviewChecklist"


class ItemKind(StrEnum):
    """How an item is answered."""

    METRIC = "metric"
    COST = "cost"
    TEXT = "text"
    FILE = "file"
    ATTESTATION = "attestation"

    @property
    def is_answered_by_metrics(self) -> bool:
        """True for the kinds that look at metric values instead of an answer somebody typed."""
        return self in (ItemKind.METRIC, ItemKind.COST)


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One question. `metrics` and `accept` serve metric and cost items, `min_length` (characters) text items."""

    id: str
    kind: ItemKind
    title: str
    help: str = ""
    required: bool = True
    metrics: tuple[str, ...] = ()
    accept: tuple[Basis, ...] = ()
    min_length: int = 1


@dataclass(frozen=True)
class Checklist:
    """A parsed template; `digest` is that of the document it was read from."""

    name: str
    title: str
    items: tuple[ChecklistItem, ...]
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class ChecklistReply:
    """What somebody answered to a text, file or attestation item; people are named by username."""

    item_id: str
    answered_by: str
    answered_at: datetime
    text: str = ""
    file_digest: str = ""
    attested_by: str = ""


@dataclass(frozen=True)
class ItemStatus:
    """An item with what stands for it: the metric values that answer it, or why it is still open."""

    item: ChecklistItem
    is_complete: bool
    why: str
    metric_values: tuple[MetricValue, ...] = ()


def parse_checklist(document: Mapping[str, object]) -> Checklist:
    """The checklist a document describes. Raises Invalid with the path of the first fault, like `items[3].metrics`."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    checklist = Checklist(reader.text("name"), reader.text("title"), reader.items("items", _item))
    reader.close()
    if not checklist.items:
        raise reader.fault("items", "is empty; a checklist asks at least one thing.")
    check_unique(tuple(item.id for item in checklist.items), path="items")
    return replace(checklist, digest=digest_of(document))


def _item(reader: Reader) -> ChecklistItem:
    item = ChecklistItem(
        id=reader.text("id"),
        kind=reader.choice("kind", ItemKind),
        title=reader.text("title"),
        help=reader.text("help", ""),
        required=reader.flag("required", default=True),
        metrics=reader.words("metrics"),
        accept=_accepted(reader),
        min_length=reader.whole("min_length", 1, at_least=1),
    )
    _check_metrics(reader, item)
    return item


def _accepted(reader: Reader) -> tuple[Basis, ...]:
    listed = reader.words("accept")
    if not set(listed) <= set(Basis):
        raise reader.fault("accept", f"may list only {', '.join(Basis)}.")
    if not listed:
        return ()
    return stronger_or_equal(min((Basis(word) for word in listed), key=lambda basis: basis.rank))


def _check_metrics(reader: Reader, item: ChecklistItem) -> None:
    unknown = [name for name in item.metrics if name not in CATALOG]
    if unknown:
        raise reader.fault("metrics", f"names {unknown[0]!r}; use metrics of the catalog: {', '.join(CATALOG)}.")
    for key, given in (("metrics", item.metrics), ("accept", item.accept)):
        if item.kind.is_answered_by_metrics and not given:
            raise reader.fault(key, f"is missing; a {item.kind} item is answered by metrics of an accepted basis.")
        if given and not item.kind.is_answered_by_metrics:
            raise reader.fault(key, f"belongs to metric and cost items; a {item.kind} item is answered by a person.")


def completeness(
    checklist: Checklist, *, answers: Sequence[ChecklistReply], metric_values: Sequence[MetricValue], now: datetime
) -> tuple[ItemStatus, ...]:
    """One status per item, in the order of the checklist; of several answers to an item the latest counts."""
    latest = {answer.item_id: answer for answer in sorted(answers, key=lambda each: each.answered_at)}
    return tuple(
        _by_metrics(item, metric_values=metric_values, now=now)
        if item.kind.is_answered_by_metrics
        else _by_person(item, latest.get(item.id))
        for item in checklist.items
    )


def is_complete(statuses: Sequence[ItemStatus]) -> bool:
    """True when every required item is answered."""
    return all(status.is_complete for status in statuses if status.item.required)


def _by_metrics(item: ChecklistItem, *, metric_values: Sequence[MetricValue], now: datetime) -> ItemStatus:
    found: list[MetricValue] = []
    gaps: list[str] = []
    sound = [metric_value for metric_value in metric_values if is_sound(metric_value)]
    for name in item.metrics:
        metric_value = best(sound, name=name, now=now, accept=item.accept)
        if metric_value is None:
            gaps.append(f"{name} needs a {' or '.join(item.accept)} metric value")
        elif not is_current(metric_value, now=now):
            gaps.append(f"the metric value of {name} expired on {metric_value.valid_until:%Y-%m-%d}")
        else:
            found.append(metric_value)
    why = f"Still open: {'; '.join(gaps)}." if gaps else "Every metric has a metric value of an accepted basis."
    return ItemStatus(item, not gaps, why, tuple(found))


def _by_person(item: ChecklistItem, answer: ChecklistReply | None) -> ItemStatus:
    if answer is None:
        return ItemStatus(item, False, "Nobody has answered this yet.")
    gap = _gap(item, answer)
    return ItemStatus(item, not gap, gap or f"Answered by {answer.answered_by}.")


def _gap(item: ChecklistItem, answer: ChecklistReply) -> str:
    if item.kind is ItemKind.TEXT and len(answer.text.strip()) < item.min_length:
        return f"The answer needs at least {item.min_length} characters; it has {len(answer.text.strip())}."
    if item.kind is ItemKind.FILE and not is_digest(answer.file_digest):
        return "No file is attached; upload one."
    if item.kind is ItemKind.ATTESTATION and not answer.attested_by:
        return "Nobody has put their name to this; a person must attest it."
    return ""
