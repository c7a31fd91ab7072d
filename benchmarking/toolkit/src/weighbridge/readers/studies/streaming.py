"""A load test of a language model: the time to the first token, and how many answers keep all limits."""

from itertools import pairwise
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

PERCENTILES = ("p50", "p90", "p95", "p99")
KINDS = {"ttft": "first token", "tpot": "time per output token"}
MOST_BLOCKS = 50
Times = dict[str, tuple[float, float, float]]


def read_streaming(document: Fields, findings: Findings) -> Study:
    """Return the study of a load test with streamed answers; raise Invalid if its goodput is not that of its blocks."""
    metrics, plan, streaming = (document.inside(name) for name in ("metrics", "plan", "streaming"))
    times: Times = {
        f"{words} {p}": metrics.interval(f"{kind}_{p}_ms")
        for kind, words in KINDS.items()
        for p in PERCENTILES
        if f"{kind}_{p}_ms" in metrics.names
    }
    goodput = _goodput(document, metrics, streaming)
    if not times and goodput is None:
        text = f"{document.file} has neither times nor a goodput: too few requests were answered."
        raise Invalid(text, code="no_metrics", field="file")
    limits = streaming.inside("limits").text("words") or "no limits"
    conclusions = tuple(_conclusions(times, goodput, limits))
    tokens = streaming.inside("tokens")
    counted = {kind: tokens.count(kind) for kind in ("input", "cached", "output") if tokens.plain(kind) is not None}
    return study_of(
        findings,
        StudyKind.LOAD_TEST,
        conclusions=conclusions,
        details={
            "target": plan.text("url") or "",
            "load": load_words(document, plan),
            "duration": f"{plan.quantity('duration_s'):g} s",
            "prompts": plan.inside("chat").text("prompts") or "",
            "limits": limits,
            "tokens": ", ".join(f"{kind} {count:,}" for kind, count in counted.items()),
            "failed requests": f"{metrics.inside('error_rate').quantity('value'):.2%}",
        },
        draw=lambda: _chart(times, goodput, " ".join(conclusions)),
    )


def load_words(document: Fields, plan: Fields) -> str:
    """Return how requests arrived."""
    if document.text("loop") == "closed":
        return f"closed loop, {plan.count('users') or 0:,} users, think time {plan.quantity('think_s'):g} s"
    return f"{plan.quantity('rate_per_s'):g} requests per second, {plan.text('arrivals') or 'arrivals not stated'}"


def _goodput(document: Fields, metrics: Fields, streaming: Fields) -> tuple[float, float, float] | None:
    """Return the goodput with its bounds, None without limits; it must be that of the counted answers."""
    if streaming.plain("good") is None or "goodput_per_s" not in metrics.names:
        return None
    good = streaming.inside("good")
    n, right = good.count("n") or 0, good.count("good") or 0
    shares = [share for share in good.list("blocks") if isinstance(share, int | float) and 0 <= share <= 1]
    blocks = len(shares)
    if not n > 0 or not 0 <= right <= n or not 1 <= blocks <= MOST_BLOCKS or blocks != len(good.list("blocks")):
        raise Invalid(f"{document.file} cannot be read: it has {right} good of {n} answers.", field="good")
    # Request i is in block i * blocks // n.
    ends = [-(-n * place // blocks) for place in range(blocks + 1)]
    in_blocks = sum(round(share * (end - start)) for share, (start, end) in zip(shares, pairwise(ends), strict=True))
    check_same("good answers", stated=float(right), computed=float(in_blocks), file=document.file)
    found = metrics.interval("goodput_per_s")
    offered = metrics.inside("offered_per_s").quantity("value")
    check_same("a goodput of", stated=found[0], computed=right / n * offered, file=document.file)
    return found


def _conclusions(times: Times, goodput: tuple[float, float, float] | None, limits: str) -> list[str]:
    from weighbridge.cli.tables.terminal import number

    sentences = []
    first = [name for name in times if name.startswith(KINDS["ttft"])]
    if first:
        shown = next((name for name in first if name.endswith("p95")), first[-1])
        value, lower, upper = map(number, times[shown])
        percentile = shown.rpartition(" ")[2]
        sentences.append(f"{percentile} of the time to the first token is {value} ms ({lower} to {upper}).")
    if goodput is not None:
        value, lower, upper = map(number, goodput)
        sentences.append(f"{value} requests per second ({lower} to {upper}) keep {limits}.")
    return sentences


def _chart(times: Times, goodput: tuple[float, float, float] | None, words: str) -> "Chart":
    from weighbridge.charts.bars import Bar, bars
    from weighbridge.cli.tables.terminal import number

    shown = times or {"goodput": goodput or (0.0, 0.0, 0.0)}
    unit = "ms" if times else "1/s"
    rows = [
        Bar(name, value, lower=lower, upper=upper, words=f"{number(value)} {unit}", is_strong=name.endswith("p95"))
        for name, (value, lower, upper) in shown.items()
    ]
    title = "Times of streamed answers" if times else "Goodput"
    return bars(rows, title=title, unit=unit, alt=f"{title}. {words}")
