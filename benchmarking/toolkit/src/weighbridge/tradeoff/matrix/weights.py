"""Weights of the criteria, stated directly, by swings, or from pairwise judgments (AHP).

Direct: shares that sum to 1, or percentages that sum to 100. Swing: the criterion with the most important change from
worst to best gets 100 points, and every other criterion a part of that. AHP (Saaty 1980): all pairs are judged on the
scale 1 to 9; the weights are the principal eigenvector, and CR = CI / RI with CI = (lambda_max - n) / (n - 1) must be
below 0.10. RI are the mean random indices of Tummala and Ling (1998).
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

CONSISTENT_BELOW = 0.10
SCALE_MAX = 9.0
RANDOM_INDEX = (
    0.0,
    0.0,
    0.5799,
    0.8921,
    1.1159,
    1.2358,
    1.3322,
    1.3952,
    1.4537,
    1.4882,
    1.5117,
    1.5356,
    1.5571,
    1.5714,
    1.5831,
)
SUM_SLACK = 0.005
FULL_SWING = 100.0


class WeightMethod(StrEnum):
    """The method that gives the weights."""

    DIRECT = "direct"
    SWING = "swing"
    AHP = "ahp"


@dataclasses.dataclass(frozen=True)
class Weights:
    """A share of 1 for each criterion, the method, what was `given` in the file, and AHP's consistency ratio."""

    method: WeightMethod
    values: Mapping[str, float]
    given: Mapping[str, Any]
    consistency_ratio: float | None = None


@dataclasses.dataclass(frozen=True)
class Judgment:
    """`more` is `times` as important as `than`: 1 equally, 3 moderately, 5 strongly, 7 very strongly, 9 extremely."""

    more: str
    than: str
    times: float


def direct(shares: Mapping[str, float]) -> Weights:
    """Use shares (sum 1) or percentages (sum 100) as weights; raise Invalid for another sum."""
    total = _checked(shares, WeightMethod.DIRECT)
    if not any(abs(total - whole) <= SUM_SLACK * whole for whole in (1.0, 100.0)):
        text = f"Direct weights must be shares that sum to 1 or percentages that sum to 100; these sum to {total:g}."
        raise Invalid(text, code="weights_sum", field="weights.direct")
    return _scaled(shares, total, WeightMethod.DIRECT)


def swing(points: Mapping[str, float]) -> Weights:
    """Convert swing points to weights; raise Invalid unless the largest is 100."""
    total = _checked(points, WeightMethod.SWING)
    if max(points.values()) != FULL_SWING:
        text = f"The most important swing must have {FULL_SWING:g} points, the others fewer"
        largest = f"the largest here is {max(points.values()):g}"
        raise Invalid(f"{text}; {largest}.", code="weights_swing", field="weights.swing")
    return _scaled(points, total, WeightMethod.SWING)


def ahp(criteria: Sequence[str], judgments: Sequence[Judgment]) -> Weights:
    """Derive weights from one judgment for each pair of criteria.

    Raises Invalid for a pair judged twice or not at all, and for a number outside the scale. For a consistency ratio of
    0.10 or more, the error names the least consistent judgment and a consistent value for it.
    """
    if not 1 <= len(criteria) <= len(RANDOM_INDEX):
        text = f"Pairwise judgments support 1 to {len(RANDOM_INDEX)} criteria, not {len(criteria)}."
        raise Invalid(text, code="ahp_size", field="weights.ahp")
    table = _table(criteria, judgments)
    ratio = consistency_ratio(table)
    if ratio >= CONSISTENT_BELOW:
        raise _inconsistent(criteria, judgments, table, ratio)
    given = {WeightMethod.AHP.value: [dataclasses.asdict(each) for each in judgments]}
    values = zip(criteria, principal(table)[1], strict=True)
    return Weights(WeightMethod.AHP, {name: float(value) for name, value in values}, given, ratio)


def principal(table: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the largest eigenvalue of a matrix of judgments, and its eigenvector, which sums to 1."""
    values, vectors = np.linalg.eig(table)
    largest = int(np.argmax(values.real))
    vector = np.abs(vectors[:, largest].real)
    return float(values[largest].real), vector / vector.sum()


def consistency_ratio(table: NDArray[np.float64]) -> float:
    """Return CI / RI; 0 for one or two criteria, whose judgments are always consistent."""
    n = len(table)
    if RANDOM_INDEX[n - 1] == 0:
        return 0.0
    return max(0.0, (principal(table)[0] - n) / (n - 1) / RANDOM_INDEX[n - 1])


def _checked(points: Mapping[str, float], method: WeightMethod) -> float:
    """Return the sum of the points; raise Invalid if one is negative or not finite, or all are 0."""
    for name, value in points.items():
        if not 0 <= value < math.inf:
            text = f"weights.{method}.{name} must be a number of zero or more, not {value:g}."
            raise Invalid(text, code="weights_range", field=f"weights.{method}.{name}")
    total = sum(points.values())
    if total <= 0:
        raise Invalid("At least one weight must be above zero.", code="weights_sum", field=f"weights.{method}")
    return total


def _scaled(points: Mapping[str, float], total: float, method: WeightMethod) -> Weights:
    return Weights(method, {name: value / total for name, value in points.items()}, {method.value: dict(points)})


def _table(criteria: Sequence[str], judgments: Sequence[Judgment]) -> NDArray[np.float64]:
    places = {name: index for index, name in enumerate(criteria)}
    table, open_pairs = np.eye(len(criteria)), {frozenset(pair) for pair in itertools.combinations(criteria, 2)}
    for index, each in enumerate(judgments):
        field, pair = f"weights.ahp[{index}]", frozenset((each.more, each.than))
        if not 1 / SCALE_MAX <= each.times <= SCALE_MAX:
            text = f"{field}.times must be between 1/9 and 9, not {each.times:g}."
            raise Invalid(text, code="ahp_scale", field=f"{field}.times")
        if pair not in open_pairs:
            text = f"{field} judges {each.more} against {each.than}: not a pair of criteria, or already judged."
            raise Invalid(text, code="ahp_pair", field=field)
        open_pairs.remove(pair)
        table[places[each.more], places[each.than]] = each.times
        table[places[each.than], places[each.more]] = 1 / each.times
    if open_pairs:
        first, second = sorted(min(open_pairs, key=sorted), key=places.__getitem__)
        pairs = len(open_pairs) + len(judgments)
        text = f"{first} is not judged against {second}; {len(open_pairs)} of {pairs} pairs are open."
        raise Invalid(text, code="ahp_pair", field="weights.ahp")
    return table


def _inconsistent(
    criteria: Sequence[str], judgments: Sequence[Judgment], table: NDArray[np.float64], ratio: float
) -> Invalid:
    """Return the error that names the judgment that the others contradict most, and the value that they imply."""
    tries = []
    for index, each in enumerate(judgments):
        row, column = criteria.index(each.more), criteria.index(each.than)
        implied = _implied(table, row, column)
        other = table.copy()
        other[row, column], other[column, row] = implied, 1 / implied
        tries.append((consistency_ratio(other), index, implied))
    after, index, implied = min(tries)
    worst = judgments[index]
    text = (
        f"The judgments contradict each other: their consistency ratio is {ratio:.2f}, below {CONSISTENT_BELOW:.2f} "
        f"is accepted. The least consistent one is {worst.more} over {worst.than}, {_on_scale(worst.times)} times; "
        f"the others imply about {_on_scale(implied)}, with which the ratio would be {after:.2f}."
    )
    return Invalid(text, code="ahp_inconsistent", field=f"weights.ahp[{index}].times")


def _implied(table: NDArray[np.float64], row: int, column: int) -> float:
    """Return the judgment of a pair implied by all other criteria: the geometric mean of a_ik · a_kj."""
    others = [k for k in range(len(table)) if k not in (row, column)]
    mean = math.exp(float(np.mean([math.log(table[row, k] * table[k, column]) for k in others])))
    return min(max(mean, 1 / SCALE_MAX), SCALE_MAX)


def _on_scale(times: float) -> str:
    return f"{times:.2g}" if times >= 1 else f"1/{1 / times:.2g}"
