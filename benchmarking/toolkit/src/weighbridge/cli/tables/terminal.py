"""What a person sees at the terminal: progress with the time left, and results as tables and lines.

A result is shown in parts: tables, and sentences as text. The same parts are printed here and drawn in a notebook.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_COLUMNS = 160
# Headings whose columns hold words; all others hold numbers.
WORDS = ("metric", "unit", "verdict")

METRICS = {
    "latency_p50_ms": "latency p50",
    "latency_p95_ms": "latency p95",
    "latency_p99_ms": "latency p99",
    "throughput_per_s": "throughput",
    "error_rate": "failed",
    "load_time_ms": "load time",
    "first_inference_ms": "first inference",
    "model_size_mb": "model size",
    "parameters": "parameters",
    "peak_memory_mb": "peak memory",
    "peak_memory_delta_mb": "  of it the model",
    "accuracy": "accuracy",
    "f1_macro": "macro-F1",
    "precision_macro": "macro precision",
    "recall_macro": "macro recall",
    "roc_auc": "ROC AUC",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R2",
    "mape": "mean relative error",
    **{f"response_time_{p}_ms": f"response time {p}" for p in ("p50", "p90", "p95", "p99", "p999")},
    **{f"service_time_{p}_ms": f"service time {p}" for p in ("p50", "p90", "p95", "p99", "p999")},
    "generator_lag_p99_ms": "generator lag p99",
    "connection_wait_p99_ms": "wait for line p99",
    "achieved_per_s": "achieved",
    "throughput_samples_per_s": "throughput in rows",
    "flops": "operations of a row",
    "energy_per_query_j": "energy of a query",
    "offered_per_s": "offered",
}


@contextlib.contextmanager
def progress(stream: TextIO, *, is_quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """Yield a function (share, doing) that draws a bar with the time left on `stream`; drawn on terminals alone."""
    if is_quiet or not stream.isatty():
        yield lambda _share, _doing: None
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
        yield lambda share, doing: bar.update(task, completed=share, description=doing)


def show(parts: "Iterable[Table | str]", stream: TextIO) -> None:
    """Print tables and sentences; in a file or a pipe lines may be as long as a table needs."""
    out = console(stream)
    for part in parts:
        out.print(part, markup=False, soft_wrap=isinstance(part, str))


def console(stream: TextIO) -> "Console":
    """Return a console that cuts nothing off: in a file or a pipe lines may be as long as a table needs."""
    from rich.console import Console

    found = Console(file=stream, highlight=False)
    if not found.is_terminal:
        found.width = max(found.width, PIPE_COLUMNS)
    return found


def table_of(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[str] = WORDS, **options: Any
) -> "Table":
    """Return a table; columns are flushed right but those under `words`, and nothing in a cell is read as markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", **options)
    for heading in headings:
        table.add_column(Text(heading), justify="left" if heading in words else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def result_parts(result: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics with their bounds, what is missing, the verdict with its reasons, and where the time goes."""
    yield from metrics_parts(result, title=f"{result['scenario']}, {result['manifest']['engine']['engine']}")
    yield from operators_parts(result.get("operators"))


def scores_parts(scores: Mapping[str, Any]) -> "Iterator[Table]":
    """Yield the metrics of answers that were scored."""
    yield metrics_table("Answers against the truth", scores["metrics"])


def load_parts(result: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the metrics of a load test, the verdict, what failed and how it first failed."""
    plan, target = result["plan"], result["manifest"]["target"]
    title = f"{plan['method']} {plan['url']} at {target['address']}: {plan['rate_per_s']:g}/s, {plan['arrivals']}"
    yield from metrics_parts(result, title=f"{title}, {plan['duration_s']:g} s")
    yield from (f"failed: {error['count']:,} {error['kind']}, first: {error['first']}" for error in result["errors"])


def load_search_parts(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield every trial, the highest rate with its bounds and how the search ended, and the verdict."""
    metric = result["highest_rate_per_s"] or {"value": None, "lower": None, "upper": None}
    value, lower, upper = (number(metric[key]) or "none" for key in ("value", "lower", "upper"))
    for trial in result["trials"]:
        yield f"{number(trial['rate_per_s'])}/s: p99 {number(trial['latency_ms']) or 'none'} ms"
    yield f"highest rate with p99 <= {result['limit_ms']:g} ms: {value}/s ({lower} to {upper}), {result['reason']}"
    yield from verdict_lines(result)


def metrics_parts(result: Mapping[str, Any], *, title: str) -> "Iterator[Table | str]":
    """Yield a result of any kind under `title`: metrics, what is missing, verdict, manifest."""
    yield metrics_table(title, result["metrics"])
    yield from (f"no metric: {missing['message']}" for missing in result["missing"])
    yield from verdict_lines(result)


def metrics_table(title: str, metrics: Mapping[str, Mapping[str, Any]]) -> "Table":
    """Return a table with a row for each metric."""
    headings = ("metric", "value", "lower", "upper", "unit", "level", "n")
    return table_of(title, headings, (_metric_row(*each) for each in metrics.items()))


def _metric_row(name: str, metric: Mapping[str, Any]) -> list[str]:
    bounds = [number(metric[key]) for key in ("value", "lower", "upper")]
    level = f"{metric['confidence']:.0%}" if metric["confidence"] else ""
    unit = "" if metric["unit"] == "1" else metric["unit"]
    return [METRICS.get(name, name), *bounds, unit, level, f"{metric['n']:,}"]


def verdict_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the verdict with its reasons, and the manifest's digest where there is one."""
    yield f"verdict: {result['verdict']['status']}"
    yield from (f"  {reason['code']}: {reason['message']}" for reason in result["verdict"]["reasons"])
    if "manifest" in result:
        yield f"manifest: {result['manifest']['digest']}"


def number(value: float | None) -> str:
    """Write a number with four significant digits, large ones with separators; nothing for none."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.2e}"


def sweep_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield a line for each point of a sweep, throughput with its bounds, and the best."""
    from weighbridge.measure.studies.sweep import best_of

    headings = ("batch", "under way", "rows/s", "lower", "upper", "p50 ms", "p99 ms of a batch", "peak MB", "verdict")
    yield table_of("Offline, by batch and batches under way", headings, map(_point_row, document["points"]))
    best = best_of(document)
    if best is not None:
        yield f"highest throughput: batch {best['batch']}, {best['concurrency']} under way"


def _point_row(point: Mapping[str, Any]) -> list[str]:
    found = point.get("metrics", {})
    rate = found.get("throughput_samples_per_s", {})
    others = (found.get(name, {}).get("value") for name in ("latency_p50_ms", "latency_p99_ms", "peak_memory_mb"))
    metrics = [number(value) for value in (*(rate.get(key) for key in ("value", "lower", "upper")), *others)]
    end = point["refused"]["reason"] if "refused" in point else point["status"]
    return [str(point["batch"]), str(point["concurrency"]), *metrics, end]


def max_rate_parts(document: Mapping[str, Any]) -> list[str]:
    """Return the highest rate with its bounds, how the search ended, and what a last run at its lower bound said."""
    metric = document["highest_rate_per_s"]
    bounds = {key: number(metric[key]) or "-" for key in ("value", "lower", "upper")}
    level = "" if metric["confidence"] is None else f"{metric['confidence']:.0%}, "
    lines = [
        f"highest rate with p99 of response time within {document['limit_ms']:g} ms: {bounds['value']} per second",
        f"  between {bounds['lower']} and {bounds['upper']} ({level}{metric['n']} trials): {EDGES[document['reason']]}",
    ]
    confirmed = document["confirmed_at_lower"]
    if confirmed is not None:
        said = "met" if confirmed["is_met"] else f"not met, {confirmed['over']} of {confirmed['n']} over it"
        lines.append(
            f"  a last run at {bounds['lower']} per second: the limit is {said} (MLPerf's early stopping, 99 %)"
        )
    if document["doubts"]:
        lines.append(f"  doubtful trials: {', '.join(document['doubts'])}")
    return lines


EDGES = {
    "bracketed": "lower rates meet the limit, higher ones do not.",
    "cliff": "just above it the response time leaps; nothing between is known.",
    "no_failure_in_range": "the highest rate tried still met the limit.",
    "no_pass_in_range": "even the lowest rate tried missed the limit.",
    "out_of_time": "the time was up; every trial up to the one met the limit, every one from the other on missed it.",
}


def operators_parts(operators: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the operators that take the most time, and the slowest node; nothing where nothing is known."""
    if operators is None:
        return
    shares = (f"{row['operator']} {row['share']:.0%}" for row in operators["by_operator"][:5])
    yield f"time goes to: {', '.join(shares)}"
    slowest = operators["slowest"][0]
    where = f"{slowest['node']} ({slowest['operator']})"
    yield f"  slowest node: {where}, {number(slowest['ms'])} of {number(operators['total_ms'])} ms"
