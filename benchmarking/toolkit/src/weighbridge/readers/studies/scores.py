"""Scores of predictions: metrics with intervals, slices, drops from a baseline, reliability of probabilities."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields, printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

METRICS_MAX, SLICES_MAX, BINS_MAX, NAMED = 60, 200, 100, 3
BARS_MAX = 30


@dataclasses.dataclass(frozen=True)
class Score:
    """A metric of some rows; the bounds are None if it has none."""

    of: str
    metric: str
    unit: str
    value: float
    lower: float | None
    upper: float | None

    @property
    def words(self) -> str:
        """The value with its bounds."""
        from weighbridge.cli.tables.terminal import number

        if self.lower is None or self.upper is None:
            return number(self.value)
        return f"{number(self.value)} ({number(self.lower)} to {number(self.upper)})"


def read_scores(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.scores/1`."""
    scores = scores_in(document.inside("metrics"), "all rows")
    if not scores:
        raise Invalid(f"{document.file} has no metric that can be taken.", code="no_metrics", field="file")
    slices = [each for entry in _entries(document, "slices", SLICES_MAX) for each in _of_slice(entry)]
    for note in document.entries("notes"):
        findings.doubt(ImportStatus.INDICATIVE, note.text("message") or "The scores have a note.")
    drops = tuple(_drops(document))
    return study_of(
        findings,
        StudyKind.SCORES,
        conclusions=(*_conclusions(scores, slices), *drops),
        details={
            "task": document.text("task") or "",
            "rows": f"{document.count('rows') or 0:,}",
            "predictions": document.inside("predictions").text("file") or "",
        },
        draw=lambda: _chart(document, scores, slices),
    )


def _entries(document: Fields, key: str, most: int) -> tuple[Fields, ...]:
    entries = document.entries(key)
    if len(entries) > most:
        raise Invalid(f"{document.file} has more than {most} {key}; score fewer at once.", field=key)
    return entries


def scores_in(metrics: Fields, of: str) -> list[Score]:
    """Return the metrics of some rows; raise Invalid for too many."""
    if len(metrics.names) > METRICS_MAX:
        raise Invalid(f"{metrics.file} has more than {METRICS_MAX} metrics; score fewer at once.", field="metrics")
    return [_score(metrics, name, of) for name in metrics.names]


def _score(metrics: Fields, name: str, of: str) -> Score:
    metric = metrics.inside(name)
    unit = metric.text("unit") or ""
    if metric.plain("lower") is None or metric.plain("upper") is None:
        return Score(of, printable(name, 80), unit, metric.quantity("value"), None, None)
    return Score(of, printable(name, 80), unit, *metrics.interval(name))


def _of_slice(entry: Fields) -> list[Score]:
    return scores_in(entry.inside("metrics"), printable(entry.text("name") or "a slice", 80))


def _conclusions(scores: Sequence[Score], slices: Sequence[Score]) -> Iterator[str]:
    yield from (f"{each.metric} is {each.words}." for each in scores[:NAMED])
    first = scores[0].metric
    same = sorted((each for each in slices if each.metric == first), key=lambda each: each.value)
    if same:
        yield f"By slice, {first} goes from {same[0].words} in {same[0].of} to {same[-1].words} in {same[-1].of}."


def _drops(document: Fields) -> Iterator[str]:
    """Say how much worse each metric is than that of the baseline, and whether that is shown to be acceptable."""
    from weighbridge.cli.tables.terminal import number

    for drop in _entries(document, "drops", METRICS_MAX):
        value, lower, upper = (number(drop.quantity(key)) for key in ("value", "lower", "upper"))
        answer = _answer(drop)
        judged = f", {answer} to be below {number(drop.quantity('margin'))}" if answer else ""
        name = drop.text("metric") or "a metric"
        yield f"The drop of {name} from the baseline is {value} ({lower} to {upper}){judged}."
    slices = _entries(document, "slices", SLICES_MAX)
    answers = [_answer(drop) for entry in slices for drop in _entries(entry, "drops", METRICS_MAX)]
    if "not shown" in answers:
        yield f"In slices, {answers.count('not shown')} of {len(answers)} drops are not shown to be acceptable."


def _answer(drop: Fields) -> str:
    """Whether a drop is shown to be acceptable, by its upper bound; "" without a margin."""
    if drop.plain("margin") is None:
        return ""
    answer = "shown" if drop.quantity("upper") < drop.quantity("margin") else "not shown"
    stated = {True: "shown", False: "not shown", None: "open"}[drop.flag("is_non_inferior")]
    check_same("that a drop is acceptable as", stated=stated, computed=answer, file=drop.file)
    return answer


def _chart(document: Fields, scores: Sequence[Score], slices: Sequence[Score]) -> "Chart":
    first = scores[0]
    same = [each for each in slices if each.metric == first.metric]
    if same:
        return bars_of([first, *same], title=f"{first.metric} by slice", by_slice=True)
    bins = [_bin(each) for each in _entries(document, "reliability", BINS_MAX)]
    if bins:
        from weighbridge.quality.scoring.chart import reliability_chart

        return reliability_chart({"reliability": bins})
    return bars_of([each for each in scores if each.unit == first.unit], title="Metrics", by_slice=False)


def _bin(entry: Fields) -> dict[str, Any]:
    shares = {key: entry.share(key) for key in ("from", "to", "stated", "share", "lower", "upper")}
    return {**shares, "n": entry.count("n") or 0}


def bars_of(scores: Sequence[Score], *, title: str, by_slice: bool) -> "Chart":
    """Return a bar for each score, named by its rows or by its metric."""
    from weighbridge.charts.bars import Bar, bars

    rows = [
        Bar(each.of if by_slice else each.metric, each.value, lower=each.lower, upper=each.upper, words=each.words)
        for each in scores[:BARS_MAX]
    ]
    alt = "; ".join(f"{each.of if by_slice else each.metric} {each.words}" for each in scores[:BARS_MAX])
    return bars(rows, title=title, unit=scores[0].unit or "value", alt=f"{title}: {alt}.")
