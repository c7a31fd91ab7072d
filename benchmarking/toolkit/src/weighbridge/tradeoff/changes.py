"""Changes: for each requirement, the smallest change that gives another choice."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence

from weighbridge.tradeoff.axes import AxisDirection, bounds_of
from weighbridge.tradeoff.candidates import Candidate, Candidates
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
        usual = requirements.direction if metric == requirements.quality else AxisDirection.MIN
        direction = limits[metric].direction if metric in limits else usual
        found += _of_limit(choice, requirements, metric, limits.get(metric), direction)
    return (*found, *_of_margin(choice, requirements))


def _of_limit(
    choice: Candidates, requirements: Requirements, metric: str, limit: Requirement | None, direction: AxisDirection
) -> Iterator[LimitChange]:
    """Yield the nearest looser and the nearest tighter limit with another winner, at the values of the estimates."""
    values = [each.metrics[metric].value for each in choice.candidates if metric in each.metrics]
    bounds = {_rounded(value, direction, is_kept=kept) for value in values for kept in (True, False)}
    least, most = bounds_of(metric)
    bounds = {bound for bound in bounds if least <= bound <= most}
    start = limit.bound if limit else (math.inf if direction is AxisDirection.MIN else -math.inf)
    others = requirements.without(metric)

    def winner_at(bound: float) -> str | None:
        limits = (*others, Requirement(metric, bound, direction))
        return _winner(choice, dataclasses.replace(requirements, limits=limits))

    for bound, winner in _turns(bounds, start, winner_at, _winner(choice, requirements)):
        yield LimitChange(metric, limit.bound if limit else None, bound, direction, winner)


def _of_margin(choice: Candidates, requirements: Requirements) -> Iterator[LimitChange]:
    quality, margin = requirements.quality, requirements.margin
    values = [each.metrics[quality].value for each in choice.candidates if quality in each.metrics]
    gaps = {
        _rounded(one - other, AxisDirection.MIN, is_kept=kept)
        for one, other in itertools.product(values, repeat=2)
        for kept in (True, False)
    }

    def winner_at(gap: float) -> str | None:
        return _winner(choice, dataclasses.replace(requirements, margin=gap))

    possible = {gap for gap in {*gaps, 0.0} if 0 <= gap < (1 if requirements.is_share else math.inf)}
    for gap, winner in _turns(possible, margin, winner_at, _winner(choice, requirements)):
        yield LimitChange("margin", margin, gap, AxisDirection.MIN, winner)


def _turns(
    values: Collection[float], start: float, winner_at: Callable[[float], str | None], before: str | None
) -> Iterator[tuple[float, str | None]]:
    """Yield the nearest value below `start` and the nearest above it that give another winner, with that winner."""
    below = sorted((value for value in values if value < start), reverse=True)
    above = sorted(value for value in values if value > start)
    for tried in (below, above):
        for value in tried:
            if (winner := winner_at(value)) != before:
                yield value, winner
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
    candidates: Sequence[Candidate], requirements: Requirements
) -> tuple[Candidate, tuple[Requirement, ...]] | None:
    """Return the candidate that misses the fewest limits by the least, with the limits it misses."""
    found = [(each, tuple(requirements.unmet(each))) for each in candidates]
    measured = [(each, unmet) for each, unmet in found if all(limit.metric in each.metrics for limit in unmet)]

    def badness(pair: tuple[Candidate, tuple[Requirement, ...]]) -> tuple[int, float]:
        candidate, unmet = pair
        gaps = ((abs(candidate.metrics[limit.metric].value - limit.bound), limit.bound) for limit in unmet)
        return len(unmet), max((gap / max(abs(bound), 1e-12) for gap, bound in gaps), default=0.0)

    return min(measured, key=badness, default=None)
