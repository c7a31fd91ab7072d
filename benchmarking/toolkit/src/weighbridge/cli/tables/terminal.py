"""Terminal output: a progress bar with the time left, and results as tables and lines of text.

A result is a sequence of parts, each a table or a line. The terminal prints the same parts that a notebook renders.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from weighbridge.cli.tables.metric_titles import metric_title

if TYPE_CHECKING:
    from rich.table import Table

PIPE_COLUMNS = 160
UNLIMITED_COLUMNS = 10_000
# Columns of text, aligned left; all other columns hold numbers.
TEXT_COLUMNS = ("metric", "unit", "verdict")


@contextlib.contextmanager
def progress(stream: TextIO, *, is_quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """Yield a function (share, phase) that updates a progress bar on `stream`; without a terminal it does nothing."""
    if is_quiet or not stream.isatty():
        yield lambda _share, _phase: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda share, phase: bar.update(task, completed=share, description=phase)


def show(parts: "Iterable[Table | str]", stream: TextIO) -> None:
    """Print tables and lines of text to `stream`.

    A file or a pipe is as wide as the widest table. In a terminal that is narrower than a table, its rows become lines
    with a name and a value each, so that no number is broken.
    """
    from rich.console import Console

    output = Console(file=stream, highlight=False)
    for part in parts:
        if isinstance(part, str):
            output.print(part, markup=False, soft_wrap=True)
            continue
        width = natural_width(part)
        if not output.is_terminal:
            output.width = max(output.width, PIPE_COLUMNS, width)
        if width <= output.width:
            output.print(part)
        else:
            output.print("\n".join(record_lines(part)), markup=False, soft_wrap=True)


def natural_width(table: "Table") -> int:
    """Return how many columns of text a table takes if no cell is broken."""
    from rich.console import Console
    from rich.measure import Measurement

    wide = Console(width=UNLIMITED_COLUMNS)
    return Measurement.get(wide, wide.options, table).maximum


def record_lines(table: "Table") -> Iterator[str]:
    """Yield the title, and for each row its first cell, then the name and the value of each other cell with text."""
    yield str(table.title)
    headings = [str(column.header) for column in table.columns]
    for first, *others in zip(*(column.cells for column in table.columns), strict=True):
        yield str(first)
        yield from (f"  {heading}: {cell}" for heading, cell in zip(headings[1:], others, strict=True) if str(cell))


def table_of(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    text_columns: Sequence[str] = TEXT_COLUMNS,
    **options: Any,
) -> "Table":
    """Return a table; `text_columns` are aligned left, all others right. Cells are not parsed as markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", **options)
    for heading in headings:
        table.add_column(Text(heading), justify="left" if heading in text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def result_parts(result: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics with bounds, the missing metrics, the verdict with reasons, and the slowest operators."""
    from weighbridge.measure.conditions.gpu.same_card import NO_CARD, name_of_card

    card = name_of_card(result["manifest"])
    title = [result["scenario"], result["manifest"]["engine"]["engine"], *([card] if card != NO_CARD else [])]
    yield from metrics_parts(result, title=", ".join(title))
    yield from size_parts(result.get("by_size"))
    yield from operators_parts(result.get("operators"))


def size_parts(classes: Sequence[Mapping[str, Any]] | None) -> "Iterator[Table]":
    """Yield the percentiles by the size of the query; nothing if all queries have one size."""
    if classes:
        headings = ("values per query", "p50 ms", "p95 ms", "p99 ms", "n")
        yield table_of("Latency by the size of the query", headings, map(_size_row, classes))


def _size_row(size: Mapping[str, Any]) -> list[str]:
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
    percentiles = (number(size["metrics"].get(name, {}).get("value")) for name in names)
    return [f"{size['values_min']:,} to {size['values_max']:,}", *percentiles, f"{size['n']:,}"]


def highest_rate_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the highest rate with its bounds, or what the trials bound, and how the search ended."""
    question = f"highest rate with {_limit_words(document)}:"
    metric, ended = document["highest_rate_per_s"], SEARCH_ENDS[document["reason"]]
    if metric is None:
        bounds = [
            f"{word} {number(document[key])}"
            for word, key in (("at least", "at_least_per_s"), ("at most", "at_most_per_s"))
            if document[key] is not None
        ]
        yield f"{question} not found"
        yield f"  {', '.join(bounds) or 'no bounds'} ({len(document['trials'])} trials): {ended}"
        return
    value, lower, upper = (number(metric[key]) for key in ("value", "lower", "upper"))
    yield f"{question} {value} per second"
    yield f"  between {lower} and {upper} ({metric['confidence']:.0%}, {metric['n']} trials): {ended}"


def _limit_words(document: Mapping[str, Any]) -> str:
    if "good_share" in document:
        return f"{document['good_share']:.0%} of the answers within {document['limits']}"
    return f"a response time p99 of at most {document['limit_ms']:g} ms"


def note_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader must know besides the verdict."""
    yield from (f"note: {note['message']}" for note in result["notes"])


def metrics_parts(result: Mapping[str, Any], *, title: str) -> "Iterator[Table | str]":
    """Yield a result of any kind under `title`: metrics, missing metrics, verdict, manifest."""
    yield metrics_table(title, result["metrics"])
    yield from missing_lines(result["missing"])
    yield from verdict_lines(result)


def missing_lines(missing: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each reason once, after the metrics that have no value for it."""
    without: dict[str, list[str]] = {}
    for each in missing:
        without.setdefault(each["message"], []).append(metric_title(each["metric"]))
    yield from (f"no {', '.join(titles)}: {message}" for message, titles in without.items())


def metrics_table(title: str, metrics: Mapping[str, Mapping[str, Any]]) -> "Table":
    """Return a table with a row for each metric."""
    headings = ("metric", "value", "lower", "upper", "unit", "level", "n")
    return table_of(title, headings, (_metric_row(name, metric) for name, metric in metrics.items()))


def _metric_row(name: str, metric: Mapping[str, Any]) -> list[str]:
    bounds = [number(metric[key]) for key in ("value", "lower", "upper")]
    level = f"{metric['confidence']:.0%}" if metric["confidence"] else ""
    unit = "" if metric["unit"] == "1" else metric["unit"]
    return [metric_title(name), *bounds, unit, level, f"{metric['n']:,}"]


def verdict_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the verdict with its reasons, and the digest of the manifest if there is one."""
    yield f"verdict: {result['verdict']['status']}"
    yield from (f"  {reason['code']}: {reason['message']}" for reason in result["verdict"]["reasons"])
    if "manifest" in result:
        yield f"manifest: {result['manifest']['digest']}"


def number(value: float | None) -> str:
    """Format a number with four significant digits, from 1,000 with separators; None gives an empty string."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.2e}"


def sweep_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield one row for each point of a sweep, with the bounds of its throughput, and the best point."""
    from weighbridge.measure.studies.sweep import best_of, place_words

    sizes = list(document["points"][0]["dims"]) if document["points"] else []
    measured = ("rows/s", "lower", "upper", "p50 ms", "batch p99 ms", "peak MB", "verdict")
    headings = (*sizes, "batch", "concurrency", *measured)
    yield table_of("Offline, by batch size and concurrency", headings, map(_point_row, document["points"]))
    best = best_of(document)
    if best is not None:
        yield f"highest throughput: {place_words(best)}"
    yield from note_lines(document)


def _point_row(point: Mapping[str, Any]) -> list[str]:
    values = point.get("metrics", {})
    rate = values.get("throughput_samples_per_s", {})
    others = (values.get(name, {}).get("value") for name in ("latency_p50_ms", "latency_p99_ms", "peak_memory_mb"))
    metrics = [number(value) for value in (*(rate.get(key) for key in ("value", "lower", "upper")), *others)]
    verdict = point["refused"]["reason"] if "refused" in point else point["status"]
    sizes = [str(size) for size in point["dims"].values()]
    return [*sizes, str(point["batch"]), str(point["concurrency"]), *metrics, verdict]


def max_rate_parts(document: Mapping[str, Any]) -> list[str]:
    """Return the highest rate with bounds, how the search ended, and the result of a final run at the lower bound."""
    lines, confirmed = list(highest_rate_lines(document)), document["confirmed_at_lower"]
    if confirmed is not None:
        answer = "met" if confirmed["is_met"] else f"not met, {confirmed['over']} of {confirmed['n']} above it"
        lower = number(document["highest_rate_per_s"]["lower"])
        lines.append(f"  final run at {lower} per second: limit {answer} (MLPerf's early stopping, 99 %)")
    return [*lines, *verdict_lines(document), *note_lines(document)]


SEARCH_ENDS = {
    "bracketed": "lower rates meet the limit, higher rates do not.",
    "cliff": "the response time jumps just above this rate; the rates in between are not resolved.",
    "no_failure_in_range": "the highest rate in the range still met the limit.",
    "no_pass_in_range": "even the lowest rate in the range missed the limit.",
    "out_of_time": "time ran out.",
    "client_limit": "the measuring program limited a trial, not what it measured.",
    "trial_failed": "a trial could not be run.",
    "stopped": "the search was stopped.",
}


def operators_parts(operators: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the operators that take the most time, and the slowest node; nothing without operator timings."""
    if operators is None:
        return
    shares = (f"{row['operator']} {row['share']:.0%}" for row in operators["by_operator"][:5])
    yield f"slowest operators: {', '.join(shares)}"
    slowest = operators["slowest"][0]
    where = f"{slowest['node']} ({slowest['operator']})"
    yield f"  slowest node: {where}, {number(slowest['ms'])} of {number(operators['total_ms'])} ms"
