"""Tables of imported results: the metrics of each, what is absent, and the verdict with its reasons."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.cli.tables.terminal import missing_lines, number, table_of

if TYPE_CHECKING:
    from rich.table import Table


def imported_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield a table for each result of a `weighbridge.imported/1` document, then its lines."""
    for result in document["results"]:
        title = " ".join(filter(None, (result["tool"], result["tool_version"])))
        yield from _study_lines(result["study"])
        headings = ("metric", "value", "lower", "upper", "unit", "level", "n")
        rows = [_row(metric) for metric in result["metrics"]]
        if rows:
            yield table_of(f"{title}: {result['part']}" if result["part"] else title, headings, rows)
        yield from missing_lines({"metric": each["name"], "message": each["reason"]} for each in result["absent"])
        yield f"verdict: {result['verdict']['status']}"
        yield from (f"  {doubt['message']}" for doubt in result["verdict"]["doubts"])


def _study_lines(study: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what a study concludes, and the details behind it; nothing for other results."""
    if study is not None:
        yield study["title"]
        yield from (f"  {sentence}" for sentence in study["conclusions"])
        yield from (f"  {detail['label']}: {detail['value']}" for detail in study["details"])


def _row(metric: Mapping[str, Any]) -> list[str]:
    bounds = [number(float(metric[key])) if metric[key] is not None else "" for key in ("value", "lower", "upper")]
    level = f"{float(metric['confidence']):.0%}" if metric["confidence"] else ""
    n = f"{metric['n']:,}" if metric["n"] is not None else ""
    return [metric_title(metric["name"]), *bounds, metric["unit"], level, n]
