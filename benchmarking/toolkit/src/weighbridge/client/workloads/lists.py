"""Workloads in a plain list: JSON as in a report, or CSV with a row for each.

The columns of a CSV are the fields of a workload; only `name` is required. `model_digests` has spaces between the
digests, and `gpus` is written like `H100:8 L4:2`.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from weighbridge.client.workloads.report import Workload, check_count, read_workload
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid

COLUMNS = tuple(field.name for field in fields(Workload))
EXAMPLE = "write it like H100:8 L4:2"


def workloads_of_list(document: object) -> tuple[Workload, ...]:
    """Return the workloads of a JSON list; raise Invalid with the path of the invalid key."""
    check_count(document)
    return Reader({"workloads": document}).items("workloads", read_workload)


def workloads_of_csv(text: str) -> tuple[Workload, ...]:
    """Return the workloads of a CSV with a header; raise Invalid with the row and the column."""
    try:
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise Invalid(f"The CSV cannot be read: {error}.", field="file") from error
    if not rows:
        raise Invalid(f"The CSV has no rows. Its columns are {', '.join(COLUMNS)}.", field="file")
    return workloads_of_list([_document(row, number) for number, row in enumerate(rows, start=2)])


def _document(row: Mapping[str | None, Any], number: int) -> dict[str, Any]:
    if None in row:
        raise Invalid(f"Row {number} of the CSV has more cells than the header.", field="file")
    document: dict[str, Any] = {str(name).strip(): cell.strip() for name, cell in row.items() if cell and cell.strip()}
    unknown = next((name for name in document if name not in COLUMNS), None)
    if unknown is not None:
        text = f"The CSV has the column {unknown!r}, which is unknown; the known columns are {', '.join(COLUMNS)}."
        raise Invalid(text, field="file")
    if "model_digests" in document:
        document["model_digests"] = document["model_digests"].split()
    if "gpus" in document:
        document["gpus"] = dict(_gpus(each, number) for each in document["gpus"].split())
    if "replicas" in document:
        document["replicas"] = _count(document["replicas"], number, "replicas", "write a whole number")
    return document


def _gpus(text: str, number: int) -> tuple[str, int]:
    name, _, count = text.rpartition(":")
    return name, _count(count if name else "", number, "gpus", EXAMPLE)


def _count(text: str, number: int, column: str, how: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise Invalid(f"Row {number} of the CSV has an invalid cell {column}: {how}.", field="file")
    return int(text)
