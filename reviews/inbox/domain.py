"""When people are reminded of what lapses, and who they are.

Working days are Monday to Friday in UTC; holidays are not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SATURDAY = 5
DAY = timedelta(days=1)


class ReminderKind(StrEnum):
    """What lapses without an action."""

    VOTE = "vote"
    ANSWER = "answer"
    CLEARANCE = "clearance"
    AUTHORIZATION = "authorization"
    CHANGE = "change"


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


@dataclass(frozen=True)
class Recipient:
    """Whom a reminder goes to; `in_place_of_id` is the absent person whose deputy they are."""

    person_id: int
    in_place_of_id: int | None = None


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


def recipients(person_ids: Iterable[int], *, deputies: Mapping[int, int | None]) -> tuple[Recipient, ...]:
    """Whom to remind: everybody who is there, and the deputies of the absent, each once, by id.

    `deputies` maps each absent person to the deputy who is there, or to None.
    """
    found: dict[int, Recipient] = {}
    for person_id in sorted(set(person_ids)):
        if person_id not in deputies:
            found[person_id] = Recipient(person_id)
    for person_id in sorted(set(person_ids) & set(deputies)):
        deputy_id = deputies[person_id]
        if deputy_id is not None and deputy_id not in deputies:
            found.setdefault(deputy_id, Recipient(deputy_id, person_id))
    return tuple(found[person_id] for person_id in sorted(found))


def horizon(terms: ReminderTerms) -> timedelta:
    """No reminder is due earlier than this before the end."""
    return timedelta(days=2 * max(terms.days_before, default=0) + 2)
