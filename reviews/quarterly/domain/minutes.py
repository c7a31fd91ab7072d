"""The minutes of a meeting as Markdown: attendance, decisions, action items and the chair's notes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


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
    decided = [item for item in meeting.items if item.decisions]
    yield from (line for item in decided for line in _item(item))
    yield from () if decided else ("Nothing was decided.", "")
    yield from _rest("Discussed without a decision", [i for i in meeting.items if not i.decisions and not i.removal])
    yield from _rest("Removed from the agenda", [item for item in meeting.items if item.removal])
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
