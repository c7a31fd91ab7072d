"""The highest rate that meets a limit of the response time, with the trials of the search."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

TRIALS_MAX = 500
Trial = tuple[float, float | None]


def read_highest_rate(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.max_rate/1` or `weighbridge.load_search/1`."""
    limit_ms, trials = document.quantity("limit_ms"), _trials(document)
    found = document.interval("highest_rate_per_s") if document.plain("highest_rate_per_s") is not None else None
    if found is None:
        findings.doubt(ImportStatus.INVALID, "The search found no highest rate.")
    elif not _is_supported(found, trials, limit_ms):
        text = f"{document.file} contradicts itself: no trial within the bounds of the highest rate met the limit."
        raise Invalid(text, code="contradicts_itself", field="file")
    url = document.inside("plan").text("url")
    conclusions = _conclusions(found, limit_ms)
    return study_of(
        findings,
        StudyKind.HIGHEST_RATE,
        conclusions=conclusions,
        details={
            "limit": f"{limit_ms:g} ms of the response time p99",
            "trials": str(len(trials)),
            "target": url or "the model in a process of its own",
        },
        draw=lambda: _chart(trials, found, limit_ms, " ".join(conclusions)),
    )


def _trials(document: Fields) -> tuple[Trial, ...]:
    entries = document.entries("trials")
    if not 1 <= len(entries) <= TRIALS_MAX:
        text = f"{document.file} cannot be read: it has {len(entries)} trials, and not 1 to {TRIALS_MAX}."
        raise Invalid(text, field="trials")
    return tuple(
        (each.quantity("rate_per_s"), each.quantity("latency_ms") if each.plain("latency_ms") is not None else None)
        for each in entries
    )


def _is_supported(found: tuple[float, float, float], trials: Sequence[Trial], limit_ms: float) -> bool:
    """Whether trials bear the rate out: one up to the upper bound met the limit, and half of those below the lower did.

    A single trial may miss by chance.
    """
    _, lower, upper = found
    met = [rate for rate, latency_ms in trials if latency_ms is not None and latency_ms <= limit_ms]
    below = [latency_ms for rate, latency_ms in trials if rate < lower]
    missed = sum(latency_ms is None or latency_ms > limit_ms for latency_ms in below)
    return any(rate <= upper for rate in met) and 2 * missed <= len(below)


def _conclusions(found: tuple[float, float, float] | None, limit_ms: float) -> tuple[str, ...]:
    from weighbridge.cli.tables.terminal import number

    if found is None:
        return ("The search found no highest rate.",)
    value, lower, upper = map(number, found)
    text = (
        f"Up to {value} requests per second ({lower} to {upper}), 99 % of the responses take at most {limit_ms:g} ms."
    )
    return (text,)


def _chart(trials: Sequence[Trial], found: tuple[float, float, float] | None, limit_ms: float, words: str) -> "Chart":
    from weighbridge.charts.drawing import altair, chart_from_rows, chart_of
    from weighbridge.charts.tables import Table
    from weighbridge.charts.theme import INK, PAPER, PETROL
    from weighbridge.cli.tables.terminal import number
    from weighbridge.tradeoff.charts.strokes import limit_line

    alt = altair()
    shown = [(rate, latency_ms) for rate, latency_ms in trials if latency_ms is not None and latency_ms > 0]
    points = [{"x": rate, "y": each, "trial": "met" if each <= limit_ms else "missed"} for rate, each in shown]
    scale = alt.Scale(domain=["met", "missed"], range=[PETROL, PAPER])
    shape = alt.Scale(domain=["met", "missed"], range=["circle", "diamond"])
    legend = alt.Legend(orient="bottom", title="the limit was")
    layers = [
        chart_from_rows(points)
        .mark_point(size=70, filled=True, stroke=INK, strokeWidth=1.2, opacity=1)
        .encode(
            x=alt.X("x:Q", title="requests per second", scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", title="response time p99 (ms)", scale=alt.Scale(type="log")),
            fill=alt.Fill("trial:N", scale=scale, legend=legend),
            shape=alt.Shape("trial:N", scale=shape, legend=legend),
        ),
        *limit_line({"y": limit_ms}, f"limit {limit_ms:g} ms", up="y:Q", align="left", dx=4, dy=-8, x=0),
    ]
    if found is not None:
        layers += limit_line({"x": found[0]}, "highest rate", across="x:Q", align="right", dx=-5, y=6)
    title = "Response time by rate"
    rows = tuple(
        (
            number(rate),
            number(each) if each is not None else "no answer",
            "met" if each and each <= limit_ms else "missed",
        )
        for rate, each in sorted(trials, key=lambda trial: trial[0])
    )
    table = Table(title, ("requests per second", "p99, ms", "limit"), rows, frozenset({0, 1}))
    return chart_of(alt.layer(*layers), title=title, alt=f"{title}, {len(trials)} trials. {words}", table=table)
