"""Tables of scored predictions: metrics, drops against a baseline, and slices."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.cli.tables.terminal import metrics_table, missing_lines, note_lines, number, table_of

if TYPE_CHECKING:
    from rich.table import Table


def scores_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics, those without a value, the drops, the slices, and what a reader must know."""
    rows, units = document["rows"], document["units"]
    of = f"{rows:,} rows" if rows == units else f"{rows:,} rows in {units:,} groups"
    yield metrics_table(f"{document['task'].capitalize()}: answers against the truth, {of}", document["metrics"])
    if document["chosen"]:
        yield document["chosen"]
    if document["scores"]:
        yield f"scores: {document['scores']}"
    yield from missing_lines(document["missing"])
    yield from dict.fromkeys(f"left out: {left['message']}" for left in document["left_out"])
    yield from _slice_parts(document)
    yield from _drop_parts(document)
    yield from note_lines(document)


def _slice_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield a row for each metric of each slice, and the slices with too few rows."""
    slices, correction = document["slices"], document["correction"]
    if not slices:
        return
    level = f"{correction['confidence']:.4%}"
    title = f"Slices: {correction['method']} for {correction['intervals']} intervals, each at {level}"
    headings = ("slice", "rows", "metric", "value", "lower", "upper")
    rows = (
        [each["name"], f"{each['rows']:,}", metric_title(name), *map(number, _bounds(metric))]
        for each in slices
        for name, metric in each["metrics"].items()
    )
    yield table_of(title, headings, rows, text_columns=("slice", "metric"))
    for each in slices:
        if each["too_few"]:
            yield f"{each['name']}: too few rows or groups ({each['units']:,})"
        yield from (f"{each['name']}: no {one['metric']}: {one['message']}" for one in each["missing"])


def _drop_parts(document: Mapping[str, Any]) -> "Iterator[Table]":
    """Yield how much worse each metric is than that of the baseline, and whether that is acceptable."""
    entries = [("all", document["drops"]), *((each["name"], each["drops"]) for each in document["slices"])]
    rows = [
        [name, metric_title(drop["metric"]), *map(number, _bounds(drop)), *_judged(drop)]
        for name, drops in entries
        for drop in drops
    ]
    if rows:
        headings = ("rows", "metric", "drop", "lower", "upper", "margin", "answer")
        title = "Drop from the baseline; above 0 is worse"
        yield table_of(title, headings, rows, text_columns=("rows", "metric", "answer"))


def _bounds(entry: Mapping[str, Any]) -> list[float | None]:
    return [entry[key] for key in ("value", "lower", "upper")]


def _judged(drop: Mapping[str, Any]) -> list[str]:
    answers = {None: "", True: "shown to be acceptable", False: "not shown to be acceptable"}
    return [number(drop["margin"]), answers[drop["is_non_inferior"]]]
