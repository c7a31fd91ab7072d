"""The comparison of a repeated run with the first run, formatted for its page."""

from dataclasses import dataclass
from decimal import Decimal

from benchmarking.runs.queries.runs import RunView
from governance.site.web.formatting import format_number

_SUMMARIES = {
    "equivalent": "Equivalent: the interval of every metric value is within the margin.",
    "different": "Different: the interval of a metric value is outside the margin.",
    "cannot_tell": "Cannot tell: the samples show neither equivalence nor a difference.",
}
_LEAST_P = 0.001


@dataclass(frozen=True)
class ComparedPercentile:
    """One latency percentile of both runs (ms), the ratio second/first with its interval, and the answer."""

    name: str
    first: str
    second: str
    ratio: str
    p_value: str
    answer: str


@dataclass(frozen=True)
class Difference:
    """A condition that differs between the two runs."""

    condition: str
    first: str
    second: str


@dataclass(frozen=True)
class RepetitionView:
    """The result of two one-sided tests on a repeated run; `margin` in percent of the ratio."""

    answer: str
    summary: str
    margin: str
    reasons: tuple[str, ...]
    metrics: tuple[ComparedPercentile, ...]
    differences: tuple[Difference, ...]


def equivalence_of(view: RunView) -> RepetitionView | None:
    """Return the comparison of a repeated run; None if the run has none."""
    document = view.equivalence
    if document is None:
        return None
    return RepetitionView(
        answer=document["answer"],
        summary=_SUMMARIES[document["answer"]],
        margin=f"{document['margin'] * 100:g} %",
        reasons=tuple(document["reasons"]),
        metrics=tuple(
            ComparedPercentile(
                metric["metric"],
                f"{metric['then']:,.4g}",
                f"{metric['now']:,.4g}",
                f"{_fixed(metric['ratio'])} ({_fixed(metric['lower'])} to {_fixed(metric['upper'])})",
                _fixed(metric["p_value"]) if metric["p_value"] >= _LEAST_P else f"<{_LEAST_P}",
                metric["answer"],
            )
            for metric in document["metrics"]
        ),
        differences=tuple(
            Difference(str(entry["condition"]), _text(entry["then"]), _text(entry["now"]))
            for entry in document["differences"]
        ),
    )


def _fixed(number: float) -> str:
    return format_number(Decimal(str(number)), decimals=3)


def _text(value: object) -> str:
    return "none" if value is None else str(value)
