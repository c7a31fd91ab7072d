"""A load test of an endpoint: its response times with bounds, and the limit that they were tested against."""

from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.units import share_text
from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.studies.streaming import load_words, read_streaming
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

TIMES = {f"response_time_{percentile}_ms": percentile for percentile in ("p50", "p90", "p95", "p99", "p999")}
Times = dict[str, tuple[float, float, float]]


def read_load_test(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.load/1`; that of a language model is about its streamed answers."""
    if document.plain("streaming") is not None:
        return read_streaming(document, findings)
    metrics, plan = document.inside("metrics"), document.inside("plan")
    times: Times = {word: metrics.interval(name) for name, word in TIMES.items() if name in metrics.names}
    if not times:
        text = f"{document.file} has no response times: too few requests were answered. Load the target for longer."
        raise Invalid(text, code="no_metrics", field="file")
    limit_ms = plan.quantity("p99_limit_ms") if plan.plain("p99_limit_ms") is not None else None
    answer = _answer(times, limit_ms)
    if document.plain("within_limit") is not None:
        stated = document.inside("within_limit").flag("is_within")
        words = {True: "within", False: "above", None: "open"}
        check_same("the limit is", stated=words[stated], computed=words[answer], file=document.file)
    rate = metrics.inside("achieved_per_s").quantity("value")
    errors = metrics.inside("error_rate").quantity("value")
    conclusions = _conclusions(times, limit_ms, answer, rate)
    return study_of(
        findings,
        StudyKind.LOAD_TEST,
        conclusions=conclusions,
        details={
            "target": plan.text("url") or "",
            "load": load_words(document, plan),
            "duration": f"{plan.quantity('duration_s'):g} s",
            "failed requests": share_text(errors, decimals=2),
        },
        draw=lambda: _chart(times, limit_ms, " ".join(conclusions)),
    )


def _answer(times: Times, limit_ms: float | None) -> bool | None:
    """Whether p99 meets the limit: by its upper bound, not by its lower bound, or open."""
    if limit_ms is None or "p99" not in times:
        return None if limit_ms is None else False
    _, lower, upper = times["p99"]
    return True if upper <= limit_ms else False if lower > limit_ms else None


def _conclusions(times: Times, limit_ms: float | None, answer: bool | None, rate: float) -> tuple[str, ...]:
    from weighbridge.cli.tables.terminal import number

    word, (value, lower, upper) = list(times.items())[-1] if "p99" not in times else ("p99", times["p99"])
    first = f"At {number(rate)} answers per second, {word} of the response time is {number(value)} ms"
    sentences = [f"{first} ({number(lower)} to {number(upper)})."]
    if limit_ms is not None:
        ends = {True: "is met", False: "is missed", None: "lies within the interval, so that it may be met or missed"}
        sentences.append(f"The limit of p99, {limit_ms:g} ms, {ends[answer]}.")
    return tuple(sentences)


def _chart(times: Times, limit_ms: float | None, words: str) -> "Chart":
    from weighbridge.charts.bars import Bar, bars
    from weighbridge.cli.tables.terminal import number

    rows = [
        Bar(
            word,
            value,
            lower=lower,
            upper=upper,
            limit=limit_ms if word == "p99" else None,
            words=f"{number(value)} ms",
            is_strong=word == "p99",
        )
        for word, (value, lower, upper) in times.items()
    ]
    return bars(rows, title="Response times", unit="ms", alt=f"Response times in milliseconds. {words}")
