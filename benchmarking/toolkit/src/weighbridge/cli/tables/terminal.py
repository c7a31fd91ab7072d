"""What a person sees at the terminal: progress with the time left, and a profile as a table."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

PIPE_COLUMNS = 160

FIGURES = {
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
    if is_quiet:
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


def show_result(result: Mapping[str, Any], stream: TextIO) -> None:
    """Write the figures with their bounds, what is missing, and the verdict with its reasons."""
    show_figures(result, stream, title=f"{result['scenario']}, {result['manifest']['engine']['engine']}")


def show_load(result: Mapping[str, Any], stream: TextIO) -> None:
    """Write the figures of a load test, what failed and how it first failed, and the verdict."""
    plan, target = result["plan"], result["manifest"]["target"]
    title = f"{plan['method']} {plan['url']} at {target['address']}: {plan['rate_per_s']:g}/s, {plan['arrivals']}"
    show_figures(result, stream, title=f"{title}, {plan['duration_s']:g} s")
    lines = (f"failed: {error['count']:,} {error['kind']}, first: {error['first']}\n" for error in result["errors"])
    stream.writelines(lines)


def show_load_search(result: Mapping[str, Any], stream: TextIO) -> None:
    """Write the highest rate with its bounds, how the search ended, every trial, and the verdict."""
    figure = result["highest_rate_per_s"] or {"value": None, "lower": None, "upper": None}
    value, lower, upper = (number(figure[key]) or "none" for key in ("value", "lower", "upper"))
    lines = [
        f"{number(trial['rate_per_s'])}/s: p99 {number(trial['latency_ms']) or 'none'} ms" for trial in result["trials"]
    ]
    lines += [
        f"highest rate with p99 <= {result['limit_ms']:g} ms: {value}/s ({lower} to {upper}), {result['reason']}",
        f"verdict: {result['verdict']['status']}",
        *(f"  {reason['code']}: {reason['message']}" for reason in result["verdict"]["reasons"]),
        f"manifest: {result['manifest']['digest']}",
    ]
    stream.write("\n".join(lines) + "\n")


def console(stream: TextIO) -> "Console":
    """Return a console that cuts nothing off: in a file or a pipe lines may be as long as a table needs."""
    from rich.console import Console

    found = Console(file=stream, highlight=False)
    if not found.is_terminal:
        found.width = max(found.width, PIPE_COLUMNS)
    return found


def show_figures(result: Mapping[str, Any], stream: TextIO, *, title: str) -> None:
    """Write a result of any kind under `title`: figures, what is missing, verdict, manifest."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("figure", "value", "lower", "upper", "unit", "level", "n"):
        table.add_column(heading, justify="left" if heading in ("figure", "unit") else "right", overflow="fold")
    for name, metric in result["metrics"].items():
        bounds = [number(metric[key]) for key in ("value", "lower", "upper")]
        level = f"{metric['confidence']:.0%}" if metric["confidence"] else ""
        table.add_row(
            FIGURES.get(name, name), *bounds, "" if metric["unit"] == "1" else metric["unit"], level, f"{metric['n']:,}"
        )
    out = console(stream)
    out.print(table)
    for missing in result["missing"]:
        out.print(f"no figure: {missing['message']}", markup=False)
    out.print(f"verdict: {result['verdict']['status']}", markup=False)
    for reason in result["verdict"]["reasons"]:
        out.print(f"  {reason['code']}: {reason['message']}", markup=False)
    out.print(f"manifest: {result['manifest']['digest']}", markup=False, soft_wrap=True)


def number(value: float | None) -> str:
    """Write a number with four significant digits, large ones with separators; nothing for none."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.2e}"


def show_sweep(document: Mapping[str, Any], stream: TextIO) -> None:
    """Write a line for each point of a sweep, throughput with its bounds, and name the best."""
    from rich.table import Table

    from weighbridge.measure.studies.sweep import best_of

    table = Table(title="Offline, by batch and batches under way", title_justify="left")
    headings = ("batch", "under way", "rows/s", "lower", "upper", "p50 ms", "p99 ms of a batch", "peak MB", "verdict")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "verdict" else "right", overflow="fold")
    for point in document["points"]:
        found = point.get("metrics", {})
        rate = found.get("throughput_samples_per_s", {})
        others = (found.get(name, {}).get("value") for name in ("latency_p50_ms", "latency_p99_ms", "peak_memory_mb"))
        figures = [number(value) for value in (*(rate.get(key) for key in ("value", "lower", "upper")), *others)]
        end = point["refused"]["reason"] if "refused" in point else point["status"]
        table.add_row(str(point["batch"]), str(point["concurrency"]), *figures, end)
    out = console(stream)
    out.print(table)
    best = best_of(document)
    if best is not None:
        out.print(f"highest throughput: batch {best['batch']}, {best['concurrency']} under way", markup=False)


def show_max_rate(document: Mapping[str, Any], stream: TextIO) -> None:
    """Write the highest rate with its bounds, how the search ended, and what a last run at its lower bound said."""
    figure = document["highest_rate_per_s"]
    bounds = {key: number(figure[key]) or "-" for key in ("value", "lower", "upper")}
    level = "" if figure["confidence"] is None else f"{figure['confidence']:.0%}, "
    lines = [
        f"highest rate with p99 of response time within {document['limit_ms']:g} ms: {bounds['value']} per second",
        f"  between {bounds['lower']} and {bounds['upper']} ({level}{figure['n']} trials): {EDGES[document['reason']]}",
    ]
    confirmed = document["confirmed_at_lower"]
    if confirmed is not None:
        said = "met" if confirmed["is_met"] else f"not met, {confirmed['over']} of {confirmed['n']} over it"
        lines.append(
            f"  a last run at {bounds['lower']} per second: the limit is {said} (MLPerf's early stopping, 99 %)"
        )
    if document["doubts"]:
        lines.append(f"  doubtful trials: {', '.join(document['doubts'])}")
    stream.writelines(f"{line}\n" for line in lines)


EDGES = {
    "bracketed": "lower rates meet the limit, higher ones do not.",
    "cliff": "just above it the response time leaps; nothing between is known.",
    "no_failure_in_range": "the highest rate tried still met the limit.",
    "no_pass_in_range": "even the lowest rate tried missed the limit.",
    "out_of_time": "the time was up; every trial up to the one met the limit, every one from the other on missed it.",
}


def show_operators(operators: Mapping[str, Any] | None, stream: TextIO) -> None:
    """Write the operators that take the most time, and the slowest node; nothing where nothing is known."""
    if operators is None:
        return
    shares = (f"{row['operator']} {row['share']:.0%}" for row in operators["by_operator"][:5])
    slowest = operators["slowest"][0]
    stream.writelines(
        [
            f"time goes to: {', '.join(shares)}\n",
            (
                f"  slowest node: {slowest['node']} ({slowest['operator']}), {number(slowest['ms'])} of "
                f"{number(operators['total_ms'])} ms\n"
            ),
        ]
    )
