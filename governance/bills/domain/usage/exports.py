"""Exports of providers and gateways, by kind: recognized by their first record, and converted to FOCUS columns."""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from governance.bills.domain.file_kind import CHUNK_BYTES, HEAD_BYTES, FileKind, bad_file, header_of
from governance.bills.domain.usage import anthropic, litellm, openai, opencost
from governance.bills.domain.usage.focus_rows import COLUMNS, FocusRow
from governance.bills.domain.usage.records import Record, records_in
from weighbridge.core.errors import TooLarge

PROGRESS_ROWS = 20_000


class Export(StrEnum):
    """The providers and gateways with supported exports."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    LITELLM = "litellm"
    OPENCOST = "opencost"


RowsOf = Callable[..., Iterator[FocusRow]]
_READERS: dict[Export, tuple[RowsOf, tuple[tuple[str, ...], ...]]] = {
    Export.OPENAI: (openai.rows_of, openai.NEEDED),
    Export.ANTHROPIC: (anthropic.rows_of, anthropic.NEEDED),
    Export.LITELLM: (litellm.rows_of, litellm.NEEDED),
    Export.OPENCOST: (opencost.rows_of, opencost.NEEDED),
}
EXPORTS = frozenset(each.value for each in Export)


def check_start(path: Path, *, kind: FileKind, export: Export) -> None:
    """Raise Invalid if the first bytes are neither JSON nor a table with the columns of this export."""
    try:
        with gzip.open(path, "rb") if kind is FileKind.GZIP else path.open("rb") as file:
            head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise bad_file("damaged", f"The gzip file is damaged ({error}). Send it again.") from error
    if head[:1] not in {b"{", b"["}:
        _check_columns(header_of(path, kind=kind)[0], export)


def convert_export(
    path: Path, target: Path, *, export: Export, account: str, rows_max: int, on_rows: Callable[[int], None]
) -> Path:
    """Write the rows of an export in FOCUS columns to `target`, record by record.

    `on_rows` is called with the number of rows so far, and may raise to stop. Raises Invalid for a file that is not of
    this export, TooLarge for more than `rows_max` rows.
    """
    rows_of, _ = _READERS[export]
    written, is_first = 0, True
    with target.open("w", encoding="utf-8", newline="", buffering=CHUNK_BYTES) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for record in records_in(path):
            if is_first:
                _check_columns(_names(record), export)
                is_first = False
            for row in rows_of(record, account=account):
                writer.writerow(row)
                written += 1
                if written > rows_max:
                    raise TooLarge(
                        f"The file has more than the {rows_max:,} rows allowed. Split it by month.", field="file"
                    )
                if written % PROGRESS_ROWS == 0:
                    on_rows(written)
    return target


def _check_columns(names: list[str], export: Export) -> None:
    """Raise Invalid unless the names include those that one form of the export needs."""
    _, forms = _READERS[export]
    given = {*names}
    if not any(given.issuperset(form) for form in forms):
        needed = "; or ".join(", ".join(form) for form in forms)
        raise bad_file("columns", f"This is no export of {export}: it needs {needed}.")


def _names(record: Record) -> list[str]:
    """The names of a record, with those of nested values dotted; of the first cost of a set of inference costs."""
    first = record
    for nested in ("inferenceCostSets", "inferenceCosts"):
        inside = first.get(nested)
        values = list(inside.values()) if isinstance(inside, dict) else inside
        if isinstance(values, list) and values and isinstance(values[0], dict):
            first = values[0]
    names = list(first)
    for name, value in first.items():
        names += [f"{name}.{each}" for each in value] if isinstance(value, dict) else []
    return names
