"""What an inbox lists and in which order, when people are reminded of what lapses, and who they are.

Working days are Monday to Friday in UTC; holidays are not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from governance.notifications.domain.events import Addressee

SATURDAY = 5
DAY = timedelta(days=1)
LISTED_MAX = 50
"""At most so many entries of a kind are listed, the first to lapse first."""


class ReminderKind(StrEnum):
    """What lapses without an action."""

    VOTE = "vote"
    ANSWER = "answer"
    CLEARANCE = "clearance"
    AUTHORIZATION = "authorization"
    CHANGE = "change"


class InboxKind(StrEnum):
    """What an entry of an inbox is about; the value is what a page calls it."""

    VOTE = "vote"
    REQUEST = "your request"
    CHANGE = "change"
    REVIEW = "quarterly review"
    ACTION_ITEM = "action item"
    CONDITION = "condition"
    AUTHORIZATION = "authorization"
    EVIDENCE = "evidence"
    FINDING = "finding"
    TOKEN = "token"  # noqa: S105 -- a word, no password
    RUN = "benchmark"
    DELIVERY = "delivery"
    ESCALATION = "escalation"


class InboxBatch(StrEnum):
    """A step that can be taken for several entries at once: it decides nothing, and one person alone may take it."""

    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    ASSIGN = "assign"


@dataclass(frozen=True, kw_only=True)
class InboxEntry:
    """One thing that waits for a person: what it is, its one next step, and when it lapses (None: never).

    `path` is the address of the page on which the step is taken. `note` says what else matters, such as the model.
    `in_place_of` is the absent person whose deputy the person is.
    """

    kind: InboxKind
    ref: str
    title: str
    path: str
    step: str
    since: datetime
    ends_at: datetime | None = None
    note: str = ""
    state: str = ""
    in_place_of: str = ""
    lapses_soon: bool = False
    is_escalated: bool = False
    # The step that can be taken for several entries at once; it belongs to the page and is no part of the API.
    batch: InboxBatch | None = None


def by_clock(entries: Iterable[InboxEntry]) -> tuple[InboxEntry, ...]:
    """The entries in the order of their clock: the first to lapse first, then what lapses never, oldest first."""
    return tuple(
        sorted(entries, key=lambda entry: (entry.ends_at is None, entry.ends_at or entry.since, entry.since, entry.ref))
    )


def end_of(day: date) -> datetime:
    """The moment at which a day is over, in UTC. The last day of all has no next one, and ends with its last moment."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + DAY, time.min, tzinfo=UTC)


@dataclass(frozen=True)
class ReminderTerms:
    """How many working days before the end people are reminded, and after how many percent of the time others are."""

    days_before: tuple[int, ...]
    escalate_percent: int


@dataclass(frozen=True)
class Occasion:
    """Why somebody is told now: so many working days before the end, or an escalation (None)."""

    days_before: int | None = None

    @property
    def is_escalation(self) -> bool:
        """Whether the next people in line are told."""
        return self.days_before is None


def working_days_before(due_at: datetime, *, days: int) -> datetime:
    """The same time of day, so many working days earlier."""
    at = due_at
    while days > 0:
        at -= DAY
        days -= at.weekday() < SATURDAY
    return at


def reminder_due(*, now: datetime, due_at: datetime, terms: ReminderTerms) -> Occasion | None:
    """The latest reminder whose time has come, and None before the first one and after the end.

    Earlier ones that were missed, because nothing ran, are not made any more.
    """
    if now >= due_at:
        return None
    come = [days for days in terms.days_before if working_days_before(due_at, days=days) <= now]
    return Occasion(min(come)) if come else None


def is_escalated(*, now: datetime, begun_at: datetime, due_at: datetime, terms: ReminderTerms) -> bool:
    """Whether the stated share of the time has passed, and the end has not come."""
    passed = begun_at + (due_at - begun_at) * terms.escalate_percent / 100
    return passed <= now < due_at


def recipients(person_ids: Iterable[int], *, deputies: Mapping[int, int | None]) -> tuple[Addressee, ...]:
    """Whom to remind: everybody who is there, and the deputies of the absent, each once, by id.

    `deputies` maps each absent person to the deputy who is there, or to None.
    """
    found: dict[int, Addressee] = {}
    for person_id in sorted(set(person_ids)):
        if person_id not in deputies:
            found[person_id] = Addressee(person_id)
    for person_id in sorted(set(person_ids) & set(deputies)):
        deputy_id = deputies[person_id]
        if deputy_id is not None and deputy_id not in deputies:
            found.setdefault(deputy_id, Addressee(deputy_id, person_id))
    return tuple(found[person_id] for person_id in sorted(found))


def horizon(terms: ReminderTerms) -> timedelta:
    """No reminder is due earlier than this before the end."""
    return timedelta(days=2 * max(terms.days_before, default=0) + 2)
