"""The minutes of a meeting as Markdown: attendance, decisions, action items and the chair's notes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

_SPECIAL = re.compile(r"([\\`*\[\]<>|#~]|(?<!\w)_|_(?!\w))")
# An underscore within a word is text in Markdown; an escape there would only make a name hard to read.


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """A person who attended, and the side."""

    name: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutedDecision:
    """One decision with the action item it became."""

    kind: str
    rationale: str
    decided_by: str
    action: str
    owner: str
    due_on: date
    amount: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutedItem:
    """One agenda item and the decisions about it."""

    kind: str
    title: str
    reason: str
    decisions: tuple[MinutedDecision, ...] = ()
    removal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """The content of the minutes."""

    quarter: str
    chair: str
    held_at: datetime
    present: tuple[Attendee, ...]
    items: tuple[MinutedItem, ...]
    notes: str = ""

    @property
    def decided(self) -> tuple[MinutedItem, ...]:
        """The items with a decision."""
        return tuple(item for item in self.items if item.decisions)

    @property
    def undecided(self) -> tuple[MinutedItem, ...]:
        """The items that stayed on the agenda without a decision."""
        return tuple(item for item in self.items if not item.decisions and not item.removal)

    @property
    def removed(self) -> tuple[MinutedItem, ...]:
        """The items that were removed from the agenda."""
        return tuple(item for item in self.items if item.removal)


def escaped(text: str) -> str:
    """The text on one line, with all Markdown characters escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def markdown(meeting: Minutes) -> str:
    """The minutes. Entered text is escaped; only the notes keep their line breaks."""
    return "\n".join(_lines(meeting)).rstrip() + "\n"


def _lines(meeting: Minutes) -> Iterator[str]:
    yield f"# Model Performance & Cost Review {meeting.quarter}"
    yield ""
    yield f"Held on {meeting.held_at:%Y-%m-%d %H:%M} UTC; {escaped(meeting.chair)} was the chair."
    yield from ("", "## Present", "")
    yield from (f"- {escaped(person.name)}, {person.side}" for person in meeting.present)
    yield from ("", "## Decisions", "")
    yield from (line for item in meeting.decided for line in _item(item))
    yield from () if meeting.decided else ("Nothing was decided.", "")
    yield from _rest("Not decided", meeting.undecided)
    yield from _rest("Removed from the agenda", meeting.removed)
    if meeting.notes.strip():
        yield from ("## Notes", "")
        yield from (escaped(line) if line.strip() else "" for line in meeting.notes.splitlines())


def _item(item: MinutedItem) -> Iterator[str]:
    yield from (f"### {escaped(item.title)}", "", f"{item.kind}. {escaped(item.reason)}", "")
    for decision in item.decisions:
        amount = f" ({decision.amount})" if decision.amount else ""
        yield (
            f"- **{decision.kind}**{amount}: {escaped(decision.rationale)} Decided by {escaped(decision.decided_by)}; "
            f"{escaped(decision.owner)} owns {decision.action}, due {decision.due_on:%Y-%m-%d}."
        )
    yield ""


def _rest(title: str, items: Sequence[MinutedItem]) -> Iterator[str]:
    if items:
        yield from (f"## {title}", "")
        yield from (
            f"- {escaped(item.title)} ({item.kind})" + (f": {escaped(item.removal)}" if item.removal else "")
            for item in items
        )
        yield ""
