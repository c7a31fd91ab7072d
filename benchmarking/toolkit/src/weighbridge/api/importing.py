"""`import_results`: results of other tools, with their doubts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.documents import PathLike
from weighbridge.api.results import Result, Row
from weighbridge.cli.tables.imported_table import imported_parts
from weighbridge.readers.imported_result import imported_document
from weighbridge.readers.registry import read_results


def import_results(files: Sequence[PathLike], *, tool: str | None = None) -> Result:
    """Read results of other tools; the reader of each file is found by its content, or named by `tool`.

    The result is a `weighbridge.imported/1` document: `results` have the metrics that a file states, each number as the
    exact text, why others are absent, and a verdict with reasons. `to_pandas()` has a row for each metric, its numbers
    as floats. Raises Invalid for a file that no reader takes, and TooLarge above 64 MB.
    """
    results = [result for file in files for result in read_results(Path(file), tool=tool)]
    document = imported_document(results)
    rows = tuple(_row(result, metric) for result in document["results"] for metric in result["metrics"])
    return Result(document, rows, lambda: imported_parts(document))


def _row(result: Mapping[str, Any], metric: Mapping[str, Any]) -> Row:
    numbers = {key: _float(metric[key]) for key in ("value", "lower", "upper", "confidence")}
    labels = {"tool": result["tool"], "part": result["part"], "status": result["verdict"]["status"]}
    return {**labels, "metric": metric["name"], **numbers, "unit": metric["unit"], "n": metric["n"]}


def _float(text: str | None) -> float | None:
    return float(text) if text is not None else None
