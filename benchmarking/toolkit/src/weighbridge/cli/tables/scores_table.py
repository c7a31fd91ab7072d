"""Tables of scored predictions: metrics, drops against a baseline, and slices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.comparison_table import between
from weighbridge.cli.tables.terminal import metric_title, metrics_table, note_lines, table_of

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
    yield from (f"no metric {missing['metric']}: {missing['message']}" for missing in document["missing"])
    yield from dict.fromkeys(f"left out: {left['message']}" for left in document["left_out"])
    yield from drop_lines(document["drops"])
    yield from _slice_parts(document)
    yield from note_lines(document)


def drop_lines(drops: Sequence[Mapping[str, Any]], *, of: str = "") -> Iterator[str]:
    """Yield how much worse each metric is than that of the baseline, and whether that is acceptable."""
    for drop in drops:
        answers = {True: f", shown to be within {drop['margin']}", False: f", not shown to be within {drop['margin']}"}
        title = metric_title(drop["metric"])
        yield f"{of}{title} worse than the baseline by {between(drop)}{answers.get(drop['is_non_inferior'], '')}"


def _slice_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    slices, correction = document["slices"], document["correction"]
    if not slices:
        return
    names = list(document["metrics"])
    headings = ("slice", "rows", *map(metric_title, names))
    level = f"{correction['confidence']:.2%}"
    title = f"Slices; {correction['method']} for {correction['intervals']} intervals, each at {level}"
    yield table_of(title, headings, (_slice_row(each, names) for each in slices), text_columns=("slice",))
    for each in slices:
        yield from drop_lines(each["drops"], of=f"{each['name']}: ")
        yield from (f"{each['name']}: no {one['metric']}: {one['message']}" for one in each["missing"])


def _slice_row(entry: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    head = [entry["name"], f"{entry['rows']:,}"]
    if entry["too_few"]:
        return [*head, *("too few" for _ in names)]
    return [*head, *(between(entry["metrics"].get(name)) for name in names)]
