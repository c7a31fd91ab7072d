"""Which column of a file is which column of FOCUS, whatever its version, spelling or order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from governance.bills.domain.columns import COLUMNS, FURTHER, MANDATORY, NEW_IN
from weighbridge.core.errors import Invalid

SHOWN_MAX = 12


@dataclass(frozen=True)
class HeaderMap:
    """Where each FOCUS column stands in a file, and what the header says of it.

    `columns` maps FOCUS names to the file's own; `missing` are columns FOCUS wants and nothing here needs.
    """

    version: str
    columns: dict[str, str]
    extra: tuple[str, ...]
    missing: tuple[str, ...]

    def column(self, name: str) -> str | None:
        """The file's own name of a FOCUS column, or None where it has none."""
        return self.columns.get(name)


def map_header(names: Sequence[str]) -> HeaderMap:
    """The map of a header. Raises Invalid for a needed column that is missing, or one that stands there twice."""
    folded: dict[str, str] = {}
    for name in names:
        if _fold(name) in folded and _fold(name):
            raise Invalid(f"The column {name!r} stands twice in the header; keep one.", field="file", code="columns")
        folded[_fold(name)] = name
    columns, taken = {}, set()
    for column in COLUMNS:
        found = next((folded[_fold(one)] for one in (column.name, *column.others) if _fold(one) in folded), None)
        if found is not None:
            columns[column.name] = found
            taken.add(_fold(found))
    needed = [column.name for column in COLUMNS if column.is_needed and column.name not in columns]
    if needed:
        raise Invalid(_words_for(needed, names), field="file", code="columns")
    known = {_fold(name) for name in MANDATORY | FURTHER} | taken
    return HeaderMap(
        version=_version(folded),
        columns=columns,
        extra=tuple(name for name in names if _fold(name) not in known),
        missing=tuple(sorted(name for name in MANDATORY if _fold(name) not in folded and name not in columns)),
    )


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _version(folded: dict[str, str]) -> str:
    has = (version for version, names in NEW_IN if any(_fold(name) in folded for name in names))
    return next(has, "1.0")


def _words_for(needed: Sequence[str], names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_MAX]) + (", …" if len(names) > SHOWN_MAX else "")
    return (
        f"This is no bill in the FOCUS format: it lacks {', '.join(needed)}. Its columns are {shown}. "
        "Export the bill as FOCUS 1.0 or later, with its header."
    )
