"""The minutes of a meeting as Markdown: who was there, what was decided, who owes what; and the chair's notes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Somebody who attended, and for which side."""

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
    """One item of the agenda and what was decided of it."""

    kind: str
    title: str
    why: str
    decisions: tuple[MinutedDecision, ...] = ()
    removal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Everything the minutes say."""

    quarter: str
    chair: str
    held_at: datetime
    present: tuple[Present, ...]
    items: tuple[MinutedItem, ...]
    notes: str = ""


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def markdown(meeting: Minutes) -> str:
    """The minutes; what somebody wrote is text in them, only the notes keep the chair's own paragraphs."""
    return "\n".join(_lines(meeting)).rstrip() + "\n"


def _lines(meeting: Minutes) -> Iterator[str]:
    yield f"# Model Performance & Cost Review {meeting.quarter}"
    yield ""
    yield f"Held on {meeting.held_at:%Y-%m-%d %H:%M} UTC; {escaped(meeting.chair)} was in the chair."
    yield from ("", "## Present", "")
    yield from (f"- {escaped(each.name)}, {each.side}" for each in meeting.present)
    yield from ("", "## Decisions", "")
    taken = [item for item in meeting.items if item.decisions]
    yield from (line for item in taken for line in _item(item))
    yield from () if taken else ("Nothing was decided.", "")
    yield from _rest("Looked at without a decision", [i for i in meeting.items if not i.decisions and not i.removal])
    yield from _rest("Taken off the agenda", [item for item in meeting.items if item.removal])
    if meeting.notes.strip():
        yield from ("## Notes", "")
        yield from (escaped(line) if line.strip() else "" for line in meeting.notes.splitlines())


def _item(item: MinutedItem) -> Iterator[str]:
    yield from (f"### {escaped(item.title)}", "", f"{item.kind}. {escaped(item.why)}", "")
    for each in item.decisions:
        amount = f" ({each.amount})" if each.amount else ""
        yield (
            f"- **{each.kind}**{amount}: {escaped(each.rationale)} Decided by {escaped(each.decided_by)}; "
            f"{escaped(each.owner)} owes {each.action} by {each.due_on:%Y-%m-%d}."
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
