"""Mentions and links in the text of a comment. A text is plain: there is no other markup.

A word after @ is a mention only if it is the user name of a person who may read the comment. Any other word, such as
`@import` in a style sheet, stays text.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from weighbridge.core.errors import Invalid

MENTIONS_MAX, NAME_CHARS_MAX = 20, 150
# A user name may contain dots, plus signs and @; a sentence may end right behind it.
_MENTION = r"(?<![\w@.+/-])@(?P<name>\w(?:[\w.+@-]*\w)?)"
_LINK = r"(?P<link>https?://[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]'])"
_PART = re.compile(rf"[\w.+@-]{{0,{NAME_CHARS_MAX}}}")
_TOKEN = re.compile(f"{_LINK}|{_MENTION}", re.IGNORECASE)


class TextKind(StrEnum):
    """The kinds of pieces."""

    PLAIN = "plain"
    LINK = "link"
    MENTION = "mention"


@dataclass(frozen=True)
class TextPiece:
    """A piece of a text. A mention has its “@”; joined again, the pieces are the text."""

    kind: TextKind
    text: str


def pieces(text: str, *, people: Collection[str]) -> Iterator[TextPiece]:
    """The pieces of a text, in order. Mentions are the user names of `people` alone."""
    end = 0
    for found in _TOKEN.finditer(text):
        if found["name"] and found["name"] not in people:
            continue
        if found.start() > end:
            yield TextPiece(TextKind.PLAIN, text[end : found.start()])
        yield TextPiece(TextKind.MENTION if found["name"] else TextKind.LINK, found[0])
        end = found.end()
    if end < len(text):
        yield TextPiece(TextKind.PLAIN, text[end:])


def names_in(text: str) -> tuple[str, ...]:
    """The words after @ that may be user names, each once, in order."""
    return tuple(dict.fromkeys(found["name"] for found in _TOKEN.finditer(text) if found["name"]))


def check_few(names: Collection[str]) -> None:
    """Raise Invalid if a comment mentions more than 20 people."""
    if len(names) > MENTIONS_MAX:
        raise Invalid(f"A comment mentions at most {MENTIONS_MAX} people.", field="text")


def is_part_of_name(typed: str) -> bool:
    """Whether a user name could begin so; nothing typed is the beginning of every name."""
    return _PART.fullmatch(typed) is not None
