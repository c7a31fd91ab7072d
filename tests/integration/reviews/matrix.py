"""The documented table of who may do what, and when, read from its page: what is written there is what is tested."""

import re

from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "reference" / "who-may-what.md"
YES, NO, NOT_NOW, NONE = "yes", "no", "not now", "none"
TITLES = {"In review, all votes cast but the last": "before_the_last_vote"}
Row = dict[str, str]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _named(title: str) -> str:
    return TITLES.get(title, title.lower().replace(" ", "_"))


def table() -> dict[str, dict[str, Row]]:
    """State -> step -> person -> what comes of it."""
    _, *sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for section in sections:
        title, *lines = section.splitlines()
        head, _, *rows = (_cells(line) for line in lines if line.startswith("|"))
        found[_named(title)] = {row[0].replace(" ", "_"): dict(zip(head[1:], row[1:], strict=True)) for row in rows}
    return found
