"""The terms of the glossary, read from `docs/reference/glossary.md`: one source for pages and documentation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

SOURCE = Path(__file__).with_name("glossary.md")
"""A link to the page of the documentation; the wheel has a copy."""
_END = "\n## Words of addresses"
_ROW = re.compile(r"^\| (?!Term \||---)(?P<names>[^|]+) \| (?P<meaning>[^|]+) \|", re.MULTILINE)


@dataclass(frozen=True)
class GlossaryTerm:
    """A row of the glossary: the names of one thing, and what it is."""

    names: tuple[str, ...]
    meaning: str
    anchor: str


@dataclass(frozen=True)
class GlossarySection:
    """A heading of the glossary with its terms."""

    title: str
    terms: tuple[GlossaryTerm, ...]


@cache
def sections() -> tuple[GlossarySection, ...]:
    """The sections with terms, in the order of the page."""
    return tuple(read_sections(SOURCE.read_text(encoding="utf-8")))


def read_sections(text: str) -> Iterator[GlossarySection]:
    """The sections of a glossary in Markdown, up to the words of addresses. Each anchor occurs once."""
    taken: set[str] = set()
    for part in text.partition(_END)[0].split("\n## ")[1:]:
        title, _, rows = part.partition("\n")
        yield GlossarySection(title, tuple(_term(row, taken) for row in _ROW.finditer(rows)))


def term_of(name: str) -> GlossaryTerm:
    """The term with this name; the first one, if two sections have it. Raises KeyError if there is none."""
    return _by_name()[name]


@cache
def _by_name() -> Mapping[str, GlossaryTerm]:
    found: dict[str, GlossaryTerm] = {}
    for section in sections():
        for term in section.terms:
            for name in term.names:
                found.setdefault(name, term)
    return MappingProxyType(found)


def _term(row: re.Match[str], taken: set[str]) -> GlossaryTerm:
    names = tuple(row["names"].split(", "))
    anchor = re.sub(r"[^a-z0-9]+", "-", names[0].lower()).strip("-")
    if anchor in taken:
        anchor += "-2"
    taken.add(anchor)
    return GlossaryTerm(names, row["meaning"], anchor)
