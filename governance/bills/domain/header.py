"""Maps the header of a file to FOCUS columns, for any version, spelling and order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from governance.bills.domain.columns import COLUMNS, EXPECTED, FURTHER, NEW_IN
from governance.bills.domain.file_kind import bad_file

SHOWN_MAX = 12


@dataclass(frozen=True)
class HeaderMap:
    """`columns` maps FOCUS names to the names in the file; `missing` are columns that only FOCUS requires."""

    version: str
    columns: dict[str, str]
    extra: tuple[str, ...]
    missing: tuple[str, ...]


def map_header(names: Sequence[str]) -> HeaderMap:
    """Map a header. Raises Invalid for a needed column that is missing, or a column that occurs twice."""
    folded: dict[str, str] = {}
    for name in names:
        if _fold(name) in folded and _fold(name):
            raise bad_file("columns", f"The header contains the column {name!r} twice. Remove one.")
        folded[_fold(name)] = name
    columns, used_names = {}, set()
    for column in COLUMNS:
        file_name = next((folded[_fold(one)] for one in (column.name, *column.others) if _fold(one) in folded), None)
        if file_name is not None:
            columns[column.name] = file_name
            used_names.add(_fold(file_name))
    needed = [column.name for column in COLUMNS if column.is_needed and column.name not in columns]
    if needed:
        raise bad_file("columns", _missing_columns_text(needed, names))
    known = {_fold(name) for name in EXPECTED.union(FURTHER, *NEW_IN.values())} | used_names
    return HeaderMap(
        version=_version(folded),
        columns=columns,
        extra=tuple(name for name in names if _fold(name) not in known),
        missing=tuple(sorted(name for name in EXPECTED if _fold(name) not in folded and name not in columns)),
    )


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _version(folded: dict[str, str]) -> str:
    has = (version for version, names in NEW_IN.items() if any(_fold(name) in folded for name in names))
    return next(has, "1.0")


def _missing_columns_text(needed: Sequence[str], names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_MAX]) + (", …" if len(names) > SHOWN_MAX else "")
    return (
        "This is not a bill in the FOCUS format, because these columns are missing: "
        f"{', '.join(needed)}. Its columns are {shown}. Export the bill as FOCUS 1.0 or later, with its header."
    )
