"""How a repeated run compares with the run it repeats, ready for its page: the answer in words, metric values,
what differs.
"""

from dataclasses import dataclass

from benchmarking.runs.queries.runs import RunView

_WORDS = {
    "equivalent": "Equivalent: every metric value lies within the margin for sure.",
    "different": "Different: a metric value lies outside the margin for sure.",
    "cannot_tell": "Cannot tell: neither equality nor a difference could be shown.",
}


@dataclass(frozen=True)
class Compared:
    """One percentile in both runs (ms), the ratio of the second to the first with its interval, and the answer."""

    metric: str
    then: str
    now: str
    ratio: str
    p_value: str
    answer: str


@dataclass(frozen=True)
class Difference:
    """A condition that is not what it was."""

    condition: str
    then: str
    now: str


@dataclass(frozen=True)
class RepetitionView:
    """What two one-sided tests say of a repetition; `margin` in percent of the ratio."""

    answer: str
    words: str
    margin: str
    reasons: tuple[str, ...]
    metrics: tuple[Compared, ...]
    differences: tuple[Difference, ...]


def equivalence_of(view: RunView) -> RepetitionView | None:
    """The comparison of a repeated run; None for one that repeats nothing measured."""
    held = view.equivalence
    if held is None:
        return None
    return RepetitionView(
        answer=held["answer"],
        words=_WORDS[held["answer"]],
        margin=f"{held['margin'] * 100:g} %",
        reasons=tuple(held["reasons"]),
        metrics=tuple(
            Compared(
                each["metric"],
                f"{each['then']:,.4g}",
                f"{each['now']:,.4g}",
                f"{each['ratio']:.3f} ({each['lower']:.3f} to {each['upper']:.3f})",
                f"{each['p_value']:.3f}",
                each["answer"],
            )
            for each in held["metrics"]
        ),
        differences=tuple(
            Difference(str(each["condition"]), _text(each["then"]), _text(each["now"])) for each in held["differences"]
        ),
    )


def _text(value: object) -> str:
    return "none" if value is None else str(value)
