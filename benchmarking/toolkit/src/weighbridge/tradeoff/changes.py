"""Changes: for each requirement, the smallest change that gives another choice."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Candidates
from weighbridge.tradeoff.decision import LATENCY, SIZE, run
from weighbridge.tradeoff.requirements import Requirement, Requirements

# Limits have four digits; a bound is moved past an estimate by less than that.
DIGITS = 4


@dataclasses.dataclass(frozen=True)
class LimitChange:
    """Another limit for one metric (or another margin, with the metric `margin`) and the resulting winner."""

    metric: str
    before: float | None
    after: float
    direction: AxisDirection
    winner: str | None


def changes(choice: Candidates, requirements: Requirements) -> tuple[LimitChange, ...]:
    """Return, for each requirement, the nearest change in either direction that gives another winner, if there is one.

    Limits that were not requested (on latency, size and quality) are also tried.
    """
    found: list[LimitChange] = []
    limits = {limit.metric: limit for limit in requirements.limits}
    asked = list(limits) + [metric for metric in (LATENCY, SIZE, requirements.quality) if metric not in limits]
    for metric in asked:
        direction = limits[metric].direction if metric in limits else _direction(metric, requirements)
        found += _of_limit(choice, requirements, metric, limits.get(metric), direction)
    return (*found, *_of_margin(choice, requirements))


def _direction(metric: str, requirements: Requirements) -> AxisDirection:
    return AxisDirection.MAX if metric == requirements.quality else AxisDirection.MIN


def _of_limit(
    choice: Candidates, requirements: Requirements, metric: str, limit: Requirement | None, direction: AxisDirection
) -> Iterator[LimitChange]:
    """Yield the nearest looser and the nearest tighter limit with another winner, at the values of the estimates."""
    before = _winner(choice, requirements)
    values = [each.metrics[metric].value for each in choice.candidates if metric in each.metrics]
    bounds = sorted({_rounded(value, direction, is_kept=kept) for value in values for kept in (True, False)})
    start = limit.bound if limit else (math.inf if direction is AxisDirection.MIN else -math.inf)
    for tried in ([each for each in reversed(bounds) if each < start], [each for each in bounds if each > start]):
        for bound in tried:
            others = (*requirements.without(metric), Requirement(metric, bound, direction))
            winner = _winner(choice, dataclasses.replace(requirements, limits=others))
            if winner != before:
                yield LimitChange(metric, limit.bound if limit else None, bound, direction, winner)
                break


def _of_margin(choice: Candidates, requirements: Requirements) -> Iterator[LimitChange]:
    before = _winner(choice, requirements)
    values = [
        each.metrics[requirements.quality].value for each in choice.candidates if requirements.quality in each.metrics
    ]
    gaps = {
        _rounded(one - other, AxisDirection.MIN, is_kept=kept)
        for one in values
        for other in values
        for kept in (True, False)
    }
    possible = sorted(gap for gap in {*gaps, 0.0} if 0 <= gap < 1)
    for tried in (
        [each for each in reversed(possible) if each < requirements.margin],
        [each for each in possible if each > requirements.margin],
    ):
        for margin in tried:
            winner = _winner(choice, dataclasses.replace(requirements, margin=margin))
            if winner != before:
                yield LimitChange("margin", requirements.margin, margin, AxisDirection.MIN, winner)
                break


def _winner(choice: Candidates, requirements: Requirements) -> str | None:
    winner = run(choice, requirements).winner
    return winner.name if winner else None


def _rounded(value: float, direction: AxisDirection, *, is_kept: bool) -> float:
    """Return a limit with four digits that just admits the value, or just excludes it."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    up = (direction is AxisDirection.MIN) == is_kept
    bound = (math.ceil(value / step - 1e-9) if up else math.floor(value / step + 1e-9)) * step
    if not is_kept and math.isclose(bound, value, rel_tol=1e-9):
        bound += step if up else -step
    return float(f"{bound:.{DIGITS}g}")


def nearest_miss(
    choice: Candidates, requirements: Requirements, names: Sequence[str]
) -> tuple[str, tuple[Requirement, ...]] | None:
    """Return the candidate of `names` that misses the fewest limits by the least, with the limits it misses."""
    found = [(choice.named(name), tuple(requirements.unmet(choice.named(name)))) for name in names]
    measured = [(each, unmet) for each, unmet in found if all(limit.metric in each.metrics for limit in unmet)]
    if not measured:
        return None

    def badness(limit: Requirement, value: float) -> float:
        return abs(value - limit.bound) / max(abs(limit.bound), 1e-12)

    best = min(
        measured,
        key=lambda pair: (
            len(pair[1]),
            max((badness(limit, pair[0].metrics[limit.metric].value) for limit in pair[1]), default=0.0),
        ),
    )
    return best[0].name, best[1]
