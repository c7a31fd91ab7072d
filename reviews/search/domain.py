"""What a search looks for: a reference, or words."""

import re
from dataclasses import dataclass
from enum import StrEnum

TEXT_CHARS_MAX = 200
_NUMBER = re.compile(r"\d{1,9}")


class ReferenceKind(StrEnum):
    """What a reference names; the value is how the reference begins, or the word before its number."""

    REQUEST = "MRR-"
    AUTHORIZATION = "AUT-"
    CHANGE = "CHG-"
    FINDING = "FND-"
    ACTION_ITEM = "ACT-"
    ABSENCE = "ABS-"
    WEBHOOK = "WHK-"
    RUN = "run"
    BILL = "Bill"
    QUARTER = "quarter"


_NUMBERED = (ReferenceKind.CHANGE, ReferenceKind.FINDING, ReferenceKind.ABSENCE, ReferenceKind.WEBHOOK)
_OF_A_YEAR = {
    ReferenceKind.REQUEST: r"\d{4}-\d{1,9}",
    ReferenceKind.AUTHORIZATION: r"\d{4}-\d{1,9}",
    ReferenceKind.ACTION_ITEM: r"\d{4}Q[1-4]-\d{1,9}",
}


@dataclass(frozen=True)
class Reference:
    """A reference as it is written everywhere: `MRR-2026-0001`, `CHG-7`, `7` of a run or a bill, `2026Q3`."""

    kind: ReferenceKind
    text: str


def reference_in(text: str) -> Reference | None:
    """The reference that the text is, in capital or small letters; None if it is words."""
    written = " ".join(text.split()).upper()
    if re.fullmatch(r"\d{4}Q[1-4]", written):
        return Reference(ReferenceKind.QUARTER, written)
    for kind in (ReferenceKind.RUN, ReferenceKind.BILL):
        if match := re.fullmatch(rf"{kind.value.upper()}[ -]?(\d{{1,9}})", written):
            return Reference(kind, match[1])
    for kind in _NUMBERED:
        number = written.removeprefix(kind.value)
        if number != written and _NUMBER.fullmatch(number):
            return Reference(kind, number)
    for kind, pattern in _OF_A_YEAR.items():
        if re.fullmatch(kind.value + pattern, written):
            return Reference(kind, written)
    return None


@dataclass(frozen=True)
class SearchHit:
    """A page that a search found: its title, its address, and a note such as the team."""

    title: str
    path: str
    note: str = ""


@dataclass(frozen=True)
class HitGroup:
    """The hits of one kind; `more` is the address of the whole list, if it can be filtered by the words."""

    title: str
    hits: tuple[SearchHit, ...]
    more: str = ""
