"""The highest rate that meets a limit, with the trials of the search.

The limit is one of the response time, or for a language model one of the share of answers that keep all limits.
"""

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Limit:
    """The largest value that a trial may have, and in words: what is limited, the axis, and what the rate keeps."""

    value: float
    words: str
    axis: str
    kept: str
    share: float | None = None

    def is_met(self, value: float | None) -> bool:
        """Whether a trial met the limit."""
        return value is not None and value <= self.value

    def trial(self, entry: Fields) -> Trial:
        """Return a trial: its rate, and the value that is limited; None if the trial had none."""
        key = "latency_ms" if self.share is None else "good_share"
        value = entry.quantity(key) if entry.plain(key) is not None else None
        return entry.quantity("rate_per_s"), value if value is None or self.share is None else 1 - value


def read_highest_rate(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.max_rate/1` or `weighbridge.load_search/1`."""
    limit = _limit(document)
    trials = _trials(document, limit)
    found = document.interval("highest_rate_per_s") if document.plain("highest_rate_per_s") is not None else None
    if found is None:
        findings.doubt(ImportStatus.INVALID, "The search found no highest rate.")
    elif not _is_supported(found, trials, limit):
        text = f"{document.file} contradicts itself: no trial within the bounds of the highest rate met the limit."
        raise Invalid(text, code="contradicts_itself", field="file")
    url = document.inside("plan").text("url")
    conclusions = _conclusions(found, limit)
    return study_of(
        findings,
        StudyKind.HIGHEST_RATE,
        conclusions=conclusions,
        details={
            "limit": limit.words,
            "trials": str(len(trials)),
            "target": url or "the model in a process of its own",
        },
        draw=lambda: _chart(trials, found, limit, " ".join(conclusions)),
    )


def _limit(document: Fields) -> Limit:
    if document.plain("good_share") is None:
        limit_ms = document.quantity("limit_ms")
        kept = f"99 % of the responses take at most {limit_ms:g} ms"
        return Limit(limit_ms, f"{limit_ms:g} ms of the response time p99", "response time p99 (ms)", kept)
    share, limits = document.quantity("good_share"), document.text("limits") or "limits that are not stated"
    if not 0 < share < 1:
        raise Invalid(f"{document.file} cannot be read: good_share is not between 0 and 1.", field="good_share")
    words = f"{share:.0%} of the answers within {limits}"
    # A share such as 0.95 is not exact in binary, nor is what it leaves.
    return Limit(
        1 - share + 1e-12, words, "answers that miss a limit", f"{share:.0%} of the answers keep {limits}", share
    )


def _trials(document: Fields, limit: Limit) -> tuple[Trial, ...]:
    entries = document.entries("trials")
    if not 1 <= len(entries) <= TRIALS_MAX:
        text = f"{document.file} cannot be read: it has {len(entries)} trials, and not 1 to {TRIALS_MAX}."
        raise Invalid(text, field="trials")
    return tuple(map(limit.trial, entries))


def _is_supported(found: tuple[float, float, float], trials: Sequence[Trial], limit: Limit) -> bool:
    """Whether trials bear the rate out: one up to the upper bound met the limit, and half of those below the lower did.

    A single trial may miss by chance.
    """
    _, lower, upper = found
    met = [rate for rate, value in trials if limit.is_met(value)]
    below = [value for rate, value in trials if rate < lower]
    missed = sum(not limit.is_met(value) for value in below)
    return any(rate <= upper for rate in met) and 2 * missed <= len(below)


def _conclusions(found: tuple[float, float, float] | None, limit: Limit) -> tuple[str, ...]:
    from weighbridge.cli.tables.terminal import number

    if found is None:
        return ("The search found no highest rate.",)
    value, lower, upper = map(number, found)
    return (f"Up to {value} requests per second ({lower} to {upper}), {limit.kept}.",)


def _chart(trials: Sequence[Trial], found: tuple[float, float, float] | None, limit: Limit, words: str) -> "Chart":
    from weighbridge.charts.drawing import altair, chart_from_rows, chart_of
    from weighbridge.charts.tables import Table
    from weighbridge.charts.theme import INK, PAPER, PETROL
    from weighbridge.cli.tables.terminal import number
    from weighbridge.tradeoff.charts.strokes import limit_line

    alt = altair()
    is_share = limit.share is not None
    shown = [(rate, value) for rate, value in trials if value is not None and (is_share or value > 0)]
    points = [{"x": rate, "y": each, "trial": _trial_words(limit, each)} for rate, each in shown]
    scale = alt.Scale(domain=["met", "missed"], range=[PETROL, PAPER])
    shape = alt.Scale(domain=["met", "missed"], range=["circle", "diamond"])
    legend = alt.Legend(orient="bottom", title="the limit was")
    layers = [
        chart_from_rows(points)
        .mark_point(size=70, filled=True, stroke=INK, strokeWidth=1.2, opacity=1)
        .encode(
            x=alt.X("x:Q", title="requests per second", scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", title=limit.axis, scale=alt.Scale(type="linear" if is_share else "log")),
            fill=alt.Fill("trial:N", scale=scale, legend=legend),
            shape=alt.Shape("trial:N", scale=shape, legend=legend),
        ),
        *limit_line({"y": limit.value}, f"limit {number(limit.value)}", up="y:Q", align="left", dx=4, dy=-8, x=0),
    ]
    if found is not None:
        layers += limit_line({"x": found[0]}, "highest rate", across="x:Q", align="right", dx=-5, y=6)
    title = "Answers that miss a limit, by rate" if is_share else "Response time by rate"
    rows = tuple(
        (
            number(rate),
            number(each) if each is not None else "no answer",
            _trial_words(limit, each),
        )
        for rate, each in sorted(trials, key=lambda trial: trial[0])
    )
    column = "share that misses" if is_share else "p99, ms"
    table = Table(title, ("requests per second", column, "limit"), rows, frozenset({0, 1}))
    return chart_of(alt.layer(*layers), title=title, alt=f"{title}, {len(trials)} trials. {words}", table=table)


def _trial_words(limit: Limit, value: float | None) -> str:
    return "met" if limit.is_met(value) else "missed"
