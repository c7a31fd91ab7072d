"""Upper bounds of the value that any choice can have, so that the distance from the best is known.

1. *Ranked draws.* A choice that holds keeps the budgets in all but at most K draws. Its value is therefore at most the
   best value under the budgets of draw s alone, for each kept draw s, and so at most the (K+1)-th smallest of these
   (the quantile bound; Song, Luedtke and Kucukyavuz, INFORMS J. Computing 26 (2014) 735-747). It is tightened by the
   cases which of the hardest draws are the first to be kept: then two, or three, kept draws bind together.
2. *Relaxed program.* The linear relaxation of the program with one binary for each draw, with the smallest constants
   that the draws allow (Qiu, Ahmed, Dey and Wolsey, INFORMS J. Computing 26 (2014) 465-482).

All are valid; the smallest counts. Best values under budgets are bounded by Lagrange multipliers, which are valid for
any multiplier; those of the relaxation with mean uses are taken, scaled.

A bound that is not finished when the time ends is left out. The value without budgets is always one.
"""

import numpy as np

from weighbridge.tradeoff.portfolio.parts import PortfolioPart
from weighbridge.tradeoff.portfolio.problem import Draws
from weighbridge.tradeoff.portfolio.program import INFEASIBLE, Program
from weighbridge.tradeoff.portfolio.search import NEVER, TINY, choose_rows, is_over, limit_of

SCALES = (0.85, 0.95, 1.0, 1.05, 1.2)
HALVINGS, SOLVED = 40, 0
TRIPLES_MAX = 400_000_000


def free_bound(part: PortfolioPart) -> float:
    """The value if no budget limited it."""
    return float(part.value.max(axis=1).sum())


def upper_bound(part: PortfolioPart, program: Program, *, ends_at: float = NEVER) -> float:
    """The smallest of the bounds of a part with accounts; -inf if no choice can hold."""
    bounds = [free_bound(part)]
    if not is_over(ends_at):
        bounds.append(RankedDraws(part).bound(ends_at=ends_at))
    if not is_over(ends_at):
        bounds.append(relaxed_program(program, ends_at=ends_at))
    return min(bounds)


def relaxed_program(program: Program, *, ends_at: float = NEVER) -> float:
    """The value of the linear relaxation; -inf if it has no solution, inf if the solver fails or its time ends."""
    from scipy.optimize import linprog

    solved = linprog(
        program.objective,
        A_ub=program.rows,
        b_ub=program.limits,
        A_eq=program.choose,
        b_eq=np.ones(program.choose.shape[0]),
        bounds=(0, 1),
        method="highs",
        options=limit_of(ends_at),
    )
    if solved.status != SOLVED:
        return -float("inf") if solved.status == INFEASIBLE else float("inf")
    return float(-solved.fun * program.scale)


def gap_of(value: float, bound: float) -> float:
    """How far the value is from the bound, as a share of the larger of the two; 0 if it is proven to be the best."""
    return max(0.0, bound - value) / max(abs(bound), abs(value), TINY)


class RankedDraws:
    """Bounds from draws that a choice must keep. Accounts are weighed into one by their multipliers."""

    def __init__(self, part: PortfolioPart) -> None:
        """Weigh the accounts, and rank the draws by what they alone allow, the hardest first."""
        weights = _multipliers(part)
        self._value = part.value
        self._uses = np.einsum("a,samv->smv", weights, part.uses)
        self._budget = float(weights @ part.budgets)
        accounts = part.uses.shape[1]
        self._broken = part.over_max * (1 if part.jointly else accounts)
        alone, self._multiplier = _alone(self._value, self._uses, self._budget)
        order = np.argsort(alone, kind="stable")
        self._alone, self._uses = alone[order], self._uses[order]

    def bound(self, *, ends_at: float = NEVER) -> float:
        """The bound; infinite if every draw may be exceeded."""
        draws, broken = len(self._uses), self._broken
        if broken >= draws:
            return float("inf")
        single = float(self._alone[broken])
        cells = (broken + 1) ** 2 / 2 * draws * self._value.size * len(SCALES)
        if single == -np.inf or cells > TRIPLES_MAX:
            return single
        highest = -np.inf
        for first in range(broken + 1):
            if is_over(ends_at):
                return single
            highest = max(highest, self._first_kept(first))
        return min(single, highest)

    def _first_kept(self, first: int) -> float:
        """The bound if the draws before `first` are exceeded and `first` is kept."""
        left = self._broken - first
        seconds = range(first + 1, min(first + 1 + left, len(self._uses) - 1) + 1)
        if first + 1 + left >= len(self._uses):
            return float(self._alone[first])
        return min(float(self._alone[first]), max(self._second_kept(first, second) for second in seconds))

    def _second_kept(self, first: int, second: int) -> float:
        """The bound if of the draws after `first`, `second` is the first that is kept."""
        pair = self._uses[first] + self._uses[second]
        left = self._broken - first - (second - first - 1)
        both = float(self._together(pair[None] / 2)[0])
        after = self._uses[second + 1 :]
        if left >= len(after):
            return both
        return min(both, float(np.partition(self._together((pair[None] + after) / 3), left)[left]))

    def _together(self, uses: Draws) -> Draws:
        """(cases,): bounds of the best values under the mean uses of draws that are kept together."""
        bounds = [
            self._budget * scale * self._multiplier
            + (self._value - scale * self._multiplier * uses).max(axis=2).sum(axis=1)
            for scale in SCALES
        ]
        lowest: Draws = np.minimum.reduce(bounds)
        return lowest


def _multipliers(part: PortfolioPart) -> Draws:
    """The multiplier of each account in the relaxation with the uses of a hard draw; equal ones if all are 0."""
    from scipy.optimize import linprog

    sizes, scale = part.sizes, max(float(np.abs(part.value).max()), TINY)
    rank = max(part.uses.shape[0] - part.over_max - 1, 0)
    order = np.argsort((part.uses.max(axis=3).sum(axis=2) / sizes).max(axis=1), kind="stable")
    typical = part.uses[order[rank]]
    solved = linprog(
        -part.value.ravel() / scale,
        A_ub=(typical / sizes[:, None, None]).reshape(len(sizes), -1),
        b_ub=part.budgets / sizes,
        A_eq=choose_rows(part),
        b_eq=np.ones(len(part.value)),
        bounds=(0, 1),
        method="highs",
    )
    weights = -solved.ineqlin.marginals if solved.x is not None else np.zeros(len(sizes))
    weights = np.maximum(weights, 0)
    weights = weights if weights.any() else np.ones(len(sizes))
    weighed: Draws = weights / sizes
    return weighed / max(float(weighed.max()), TINY)


def _alone(value: Draws, uses: Draws, budget: float) -> tuple[Draws, float]:
    """(draws,): the bound under each draw alone, and the median multiplier. -inf where no choice can hold."""
    least = uses.min(axis=2).sum(axis=1)
    low, high = np.zeros(len(uses)), np.full(len(uses), _steepest(value, uses))
    best = np.full(len(uses), float(value.max(axis=1).sum()))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        weighed = value - middle[:, None, None] * uses
        picks = weighed.argmax(axis=2)[..., None]
        best = np.minimum(best, middle * budget + np.take_along_axis(weighed, picks, axis=2).sum(axis=(1, 2)))
        is_over = np.take_along_axis(uses, picks, axis=2).sum(axis=(1, 2)) > budget
        low, high = np.where(is_over, middle, low), np.where(is_over, high, middle)
    best[least > budget] = -np.inf
    return best, float(np.median(high))


def _steepest(value: Draws, uses: Draws) -> float:
    """A multiplier above which use decides alone, in practice."""
    width = float((value.max(axis=1) - value.min(axis=1)).max())
    used = uses[uses > 0]
    return 4 * width / max(float(np.quantile(used, 0.05)) if len(used) else 1.0, TINY) + TINY
