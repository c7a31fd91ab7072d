"""Records of an exported file: JSON lines, one JSON document, or a table (CSV). Memory holds one line of it.

A page of results is opened: its buckets and their results become one record each, with the values of the bucket.
"""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from governance.bills.domain.file_kind import HEAD_BYTES, bad_file, header_of
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DOCUMENT, DocumentLimits

Record = Mapping[str, Any]
LINE_BYTES_MAX = DOCUMENT.bytes_max
WHOLE = DocumentLimits(bytes_max=64_000_000, values_max=16_000_000)


def records_in(path: Path) -> Iterator[Record]:
    """The records of a file, in order. Raises Invalid for a file that cannot be read to its end.

    A document of several lines must have at most 64 MB; lines of JSON can be as many as needed, each of at most 4 MB.
    """
    head = head_of(path)
    if head[:1] in {b"{", b"["}:
        yield from _of_lines(path) if is_of_lines(path) else _opened(_parsed(path.read_bytes(), WHOLE))
        return
    _, delimiter = header_of(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file, delimiter=delimiter, restval="")
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_file("damaged", f"The file cannot be read to its end ({error}).") from error


def head_of(path: Path) -> bytes:
    """The first bytes of a file, without white space and a byte order mark."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()


def is_of_lines(path: Path) -> bool:
    """Whether the first line is a complete JSON value."""
    with path.open("rb") as file:
        first = file.readline(LINE_BYTES_MAX + 1).strip()
    try:
        parse_json(first)
    except Invalid:
        return False
    return True


def value_at(record: Record, name: str) -> Any:
    """The value under a dotted name, `amount.value`, nested or as a column of that name; None without one."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def text_at(record: Record, *names: str) -> str:
    """The first value of these names that is not empty, as text; empty without one."""
    values = (value_at(record, name) for name in names)
    return next((str(value).strip() for value in values if value is not None and str(value).strip()), "")


def _of_lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > LINE_BYTES_MAX:
                raise bad_file(
                    "damaged", f"Line {number} has more than {LINE_BYTES_MAX:,} bytes. Export fewer results."
                )
            if line.strip():
                yield from _opened(_parsed(line, DOCUMENT, name=f"Line {number}"))


def _parsed(text: bytes, limits: DocumentLimits, name: str = "The file") -> Any:
    return parse_json(text, name=name, field="file", code="damaged", limits=limits, number=Decimal, is_cleaning=True)


def _opened(value: Any) -> Iterator[Record]:
    """The records in a page, in a list of records or buckets, or the record itself."""
    if isinstance(value, list):
        for each in value:
            yield from _opened(each)
        return
    if not isinstance(value, Mapping):
        raise bad_file("columns", "The file has a value that is no record. Export it as JSON objects.")
    if isinstance(value.get("data"), list | Mapping):
        yield from _opened(value["data"])
    elif isinstance(value.get("results"), list):
        about = {name: each for name, each in value.items() if not isinstance(each, list | Mapping)}
        for each in value["results"]:
            yield from ({**about, **record} for record in _opened(each))
    else:
        yield value
