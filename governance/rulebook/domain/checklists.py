"""The checklist of a review: its items, and which of them are answered.

Metric and cost items are answered by metric values of an accepted basis, never by text. The reviewers decide whether an
answer is convincing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from weighbridge.core.canonical import digest_of, is_digest
from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, best, is_current, is_sound

KIND = "ReviewChecklist"


class ItemKind(StrEnum):
    """The kind of answer that an item needs."""

    METRIC = "metric"
    COST = "cost"
    TEXT = "text"
    FILE = "file"
    ATTESTATION = "attestation"

    @property
    def is_answered_by_metrics(self) -> bool:
        """True for the kinds that are answered by metric values instead of a person."""
        return self in (ItemKind.METRIC, ItemKind.COST)


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One question. `metrics` and `accept` are for metric and cost items, `min_length` (characters) for text items."""

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
    """A parsed checklist; `digest` is the digest of its document."""

    name: str
    title: str
    items: tuple[ChecklistItem, ...]
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class ChecklistReply:
    """The answer of a person to a text, file or attestation item; people are identified by username."""

    item_id: str
    answered_by: str
    answered_at: datetime
    text: str = ""
    file_digest: str = ""
    attested_by: str = ""


@dataclass(frozen=True)
class ItemStatus:
    """An item with its state: the metric values that answer it, or the reason why it is open."""

    item: ChecklistItem
    is_complete: bool
    reason: str
    metric_values: tuple[MetricValue, ...] = ()


def parse_checklist(document: Mapping[str, object]) -> Checklist:
    """Parse a checklist document. Raises Invalid with the path of the first error, like `items[3].metrics`."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    checklist = Checklist(reader.text("name"), reader.text("title"), reader.items("items", _item))
    reader.close()
    if not checklist.items:
        raise reader.fault("items", "is empty. A checklist must have at least one item.")
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
        accept=read_accepted(reader),
        min_length=reader.whole("min_length", 1, at_least=1),
    )
    _check_metrics(reader, item)
    return item


def read_accepted(reader: Reader) -> tuple[Basis, ...]:
    """The listed bases and all stronger ones, so that a weaker basis never makes a metric value acceptable."""
    listed = reader.words("accept")
    if not set(listed) <= set(Basis):
        raise reader.fault("accept", f"may list only {', '.join(Basis)}.")
    if not listed:
        return ()
    return stronger_or_equal(min((Basis(word) for word in listed), key=lambda basis: basis.rank))


def _check_metrics(reader: Reader, item: ChecklistItem) -> None:
    for key, values in (("metrics", item.metrics), ("accept", item.accept)):
        if item.kind.is_answered_by_metrics and not values:
            raise reader.fault(key, f"is missing. A {item.kind} item is answered by metrics of an accepted basis.")
        if values and not item.kind.is_answered_by_metrics:
            only = "is allowed only for metric and cost items."
            raise reader.fault(key, f"{only} A {item.kind} item is answered by a person.")


def completeness(
    checklist: Checklist,
    *,
    answers: Sequence[ChecklistReply],
    metric_values: Sequence[MetricValue],
    catalog: MetricCatalog,
    now: datetime,
) -> tuple[ItemStatus, ...]:
    """One status for each item, in the order of the checklist. Of several answers of an item, the latest counts."""
    latest = {answer.item_id: answer for answer in sorted(answers, key=lambda each: each.answered_at)}
    return tuple(
        _by_metrics(item, metric_values=metric_values, catalog=catalog, now=now)
        if item.kind.is_answered_by_metrics
        else _by_person(item, latest.get(item.id))
        for item in checklist.items
    )


def is_complete(statuses: Sequence[ItemStatus]) -> bool:
    """True if all required items are answered."""
    return all(status.is_complete for status in statuses if status.item.required)


def _by_metrics(
    item: ChecklistItem, *, metric_values: Sequence[MetricValue], catalog: MetricCatalog, now: datetime
) -> ItemStatus:
    matching: list[MetricValue] = []
    gaps: list[str] = []
    sound = [metric_value for metric_value in metric_values if is_sound(metric_value, catalog=catalog)]
    for name in item.metrics:
        metric_value = best(sound, name=name, catalog=catalog, accept=item.accept)
        if metric_value is None:
            gaps.append(f"{name} needs a {' or '.join(item.accept)} metric value")
        elif not is_current(metric_value, now=now):
            gaps.append(f"the metric value of {name} expired on {metric_value.valid_until:%Y-%m-%d}")
        else:
            matching.append(metric_value)
    why = f"Still open: {'; '.join(gaps)}." if gaps else "Every metric has a metric value of an accepted basis."
    return ItemStatus(item, not gaps, why, tuple(matching))


def _by_person(item: ChecklistItem, answer: ChecklistReply | None) -> ItemStatus:
    if answer is None:
        return ItemStatus(item, False, "This item has no answer yet.")
    gap = _gap(item, answer)
    return ItemStatus(item, not gap, gap or f"Answered by {answer.answered_by}.")


def _gap(item: ChecklistItem, answer: ChecklistReply) -> str:
    if item.kind is ItemKind.TEXT and len(answer.text.strip()) < item.min_length:
        return f"The answer needs at least {item.min_length} characters; it has {len(answer.text.strip())}."
    if item.kind is ItemKind.FILE and not is_digest(answer.file_digest):
        return "No file is attached. Upload one."
    if item.kind is ItemKind.ATTESTATION and not answer.attested_by:
        return "A person must attest this."
    return ""
