"""Pareto: the candidates that no other one dominates, and how certain that is, given the intervals of the estimates.

One candidate dominates another if it is at least as good on all axes and better on one; exact ties dominate nobody.
Each draw takes all estimates anew and finds the frontier. The share of draws in which a candidate is on the frontier
determines its state: `frontier` from `sure` on, `dominated` up to 1 - `sure`, `ambiguous` in between.

Distribution of a draw: each estimate independently follows a two-piece normal distribution whose median is its value
and whose bounds are the quantiles of its confidence; a value without an interval is exact. Estimates that were measured
together are correlated, which independent draws ignore: they call more candidates ambiguous than a joint bootstrap
would. If joint resamples exist, use `weigh_draws`.
"""

import dataclasses
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.axes import Axis
from weighbridge.tradeoff.candidates import Candidate, Estimate

DRAWS, SEED, SURE = 1_000, 20_260_101, 0.95
# Draws per batch, so that the bit sets of a batch fit into a few megabytes.
SET_BYTES = 4_000_000
# Of one draw: rivals whose sets are compared at once, and those who are compared alone before, until few are left.
BLOCK, PIVOTS, FEW = 2_048, 64, 256
Values = NDArray[np.float64]
Switches = NDArray[np.bool_]


class FrontierState(StrEnum):
    """The state of a candidate relative to the frontier."""

    FRONTIER = "frontier"
    DOMINATED = "dominated"
    AMBIGUOUS = "ambiguous"


@dataclasses.dataclass(frozen=True)
class Dominator:
    """A candidate that dominates another at the measured values, and the share of draws in which it does."""

    name: str
    probability: float


@dataclasses.dataclass(frozen=True)
class FrontierStanding:
    """A candidate's state, the share of draws in which it is on the frontier, and its dominators, the surest first."""

    name: str
    state: FrontierState
    p_frontier: float
    is_frontier_at_values: bool
    dominated_by: tuple[Dominator, ...]


@dataclasses.dataclass(frozen=True)
class Frontier:
    """The standing of each candidate that has all axes, in order; `left_out` has the missing metric of the others."""

    axes: tuple[Axis, ...]
    standings: tuple[FrontierStanding, ...]
    left_out: tuple[tuple[str, str], ...]
    draws: int
    seed: int
    sure: float


def weigh(
    candidates: Sequence[Candidate],
    axes: Sequence[Axis],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    sure: float = SURE,
) -> Frontier:
    """Compare candidates on any number of axes; deterministic for the same seed."""
    missing = {
        candidate.name: axis.metric
        for axis in reversed(axes)
        for candidate in candidates
        if axis.metric not in candidate.metrics
    }
    present = [candidate for candidate in candidates if candidate.name not in missing]
    estimates = [[candidate.metrics[axis.metric] for axis in axes] for candidate in present]
    signs = np.array([axis.sign for axis in axes], dtype=np.float64)
    values, drawn = oriented(estimates, signs, draws=draws, seed=seed)
    names = [candidate.name for candidate in present]
    standings = weigh_draws(names, values, drawn, sure=sure)
    return Frontier(tuple(axes), standings, tuple(missing.items()), draws, seed, sure)


def weigh_draws(
    names: Sequence[str], values: Values, drawn: Values, *, sure: float = SURE
) -> tuple[FrontierStanding, ...]:
    """Compare from `values` (candidates, axes) and `drawn` (draws, candidates, axes), smaller is better on all axes."""
    on_frontier = non_dominated(values)
    shares = frontier_shares(drawn)
    # Candidates first and draws last, so that comparing two candidates reads contiguous memory.
    columns = np.ascontiguousarray(drawn.transpose(1, 2, 0))
    return tuple(
        FrontierStanding(
            name,
            _state(float(shares[index]), sure),
            float(shares[index]),
            bool(on_frontier[index]),
            _dominators(index, names, values, columns, on_frontier),
        )
        for index, name in enumerate(names)
    )


def oriented(estimates: Sequence[Sequence[Estimate]], signs: Values, *, draws: int, seed: int) -> tuple[Values, Values]:
    """Return values (candidates, axes) and draws (draws, candidates, axes), each times the sign of its axis."""
    values = np.array([[estimate.value for estimate in row] for row in estimates]).reshape(len(estimates), len(signs))
    return values * signs, draw(estimates, draws=draws, seed=seed).reshape(draws, *values.shape) * signs


def draw(estimates: Sequence[Sequence[Estimate]], *, draws: int, seed: int) -> Values:
    """Draw each estimate from the distribution above; shape (draws, candidates, axes), in the estimates' units."""
    from scipy.stats import norm

    rng = np.random.default_rng(seed)
    cells = [estimate for row in estimates for estimate in row]
    value = np.array([estimate.value for estimate in cells])
    below = np.array([estimate.value - estimate.ends[0] for estimate in cells])
    above = np.array([estimate.ends[1] - estimate.value for estimate in cells])
    level = np.array([estimate.confidence or 0.5 for estimate in cells])
    z = rng.standard_normal((draws, len(cells)))
    drawn: Values = value + z * np.where(z < 0, below, above) / norm.ppf((1 + level) / 2)
    return drawn.reshape(draws, len(estimates), len(estimates[0]) if estimates else 0)


def non_dominated(values: Values) -> Switches:
    """Return which rows of `values` (candidates, axes; smaller is better) are on the frontier; exact ties both are.

    In lexicographic order, a row is dominated by an earlier one or not at all; of each block, only those on the
    frontier are compared with the rest. Raises Invalid for NaN, which is neither better nor worse than anything.
    """
    if not values.size:
        return np.ones(len(values), dtype=bool)
    if np.isnan(values).any():
        raise Invalid("A value on an axis of the frontier is not a number. Leave the candidate out.", field="values")
    columns, places = _shortlist(np.ascontiguousarray(values.T))
    order = np.lexsort(columns[::-1])
    columns, places = columns[:, order], places[order]
    is_new = np.ones(len(places), dtype=bool)
    is_new[1:] = (columns[:, 1:] != columns[:, :-1]).any(axis=0)
    distinct = rest = np.flatnonzero(is_new)
    is_best = np.zeros(len(places), dtype=bool)
    while len(rest):
        block, rest = rest[:BLOCK], rest[BLOCK:]
        block = block[~_is_beaten(columns[:, block], columns[:, block], np.arange(len(block)))]
        is_best[block] = True
        if len(rest):
            rest = rest[~_is_beaten(columns[:, rest], columns[:, block], np.full(len(rest), len(block)))]
    found = np.zeros(len(values), dtype=bool)
    found[places] = is_best[distinct][np.cumsum(is_new) - 1]
    return found


def _shortlist(columns: Values) -> tuple[Values, NDArray[np.intp]]:
    """Return the columns (axes, candidates) without most of those who are dominated, and the places of the others.

    Those with the smallest sums dominate the most.
    """
    with np.errstate(invalid="ignore"):  # the sum of two infinities, which is not finite
        places, total = np.arange(columns.shape[1]), columns.sum(axis=0)
    turn = total.copy()
    for _ in range(PIVOTS):
        best = turn.argmin()
        if len(places) < FEW or not np.isfinite(turn[best]):
            break
        is_tied = total == total[best]
        turn[is_tied] = np.inf
        is_kept = is_tied.copy()
        for column in columns:
            is_kept |= column < column[best]
        kept = np.flatnonzero(is_kept)
        columns, places, total, turn = columns[:, kept], places[kept], total[kept], turn[kept]
    return columns, places


def _is_beaten(columns: Values, rivals: Values, earlier: NDArray[np.intp]) -> Switches:
    """Return whom one of the `earlier` first rivals equals or dominates; both (axes, candidates), in their order."""
    sets = _prefixes(np.arange(rivals.shape[1]))[earlier]
    for column, rival in zip(columns[1:], rivals[1:], strict=True):
        order = np.argsort(rival)
        sets &= _prefixes(order)[np.searchsorted(rival[order], column, side="right")]
    return np.asarray(sets.any(axis=-1))


def _prefixes(order: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Return the first 0 to n of the order (..., n) as bits, (..., n + 1, words of 64)."""
    n = order.shape[-1]
    found = np.zeros((*order.shape[:-1], n + 1, -(-n // 64)), dtype=np.uint64)
    bit = np.left_shift(np.uint64(1), (order % 64).astype(np.uint64))
    np.put_along_axis(found[..., 1:, :], (order // 64)[..., np.newaxis], bit[..., np.newaxis], axis=-1)
    return np.bitwise_or.accumulate(found, axis=-2, out=found)


def frontier_shares(drawn: Values) -> Values:
    """Return each candidate's share of draws on the frontier; `drawn` is (draws, candidates, axes), smaller is better.

    A candidate whose best draw is dominated by the worst draw of another is never on the frontier and is skipped.
    """
    shares = np.zeros(drawn.shape[1])
    if drawn.shape[1] == 0:
        return shares
    open_ = np.flatnonzero(~_beaten_always(drawn.min(axis=0), drawn.max(axis=0)))
    kept = np.ascontiguousarray(drawn[:, open_])
    words = -(-len(open_) // 64)
    step = max(1, SET_BYTES // (len(open_) * words * 8))
    counts = sum(_frontiers(kept[start : start + step]).sum(axis=0) for start in range(0, len(kept), step))
    shares[open_] = counts / len(drawn)
    return shares


def _beaten_always(best: Values, worst: Values) -> Switches:
    """Return whose best corner (candidates, axes) is strictly worse than another's worst corner; ties do not count."""
    beaten = np.zeros(len(best), dtype=bool)
    for rival in worst[non_dominated(worst)]:
        beaten |= (rival < best).all(axis=1)
    return beaten


def _frontiers(drawn: Values) -> Switches:
    """Return who is on the frontier in each draw, with sets of candidates as bits.

    The set of candidates at least as good on all axes is intersected with the set of candidates with a smaller sum of
    ranks, which are better on one axis: the intersection is the set of dominators.
    """
    draws, n, axes = drawn.shape
    total = np.zeros((draws, n), dtype=np.int64)
    rivals = np.full((draws, n, -(-n // 64)), ~np.uint64(0))
    for axis in range(axes):
        as_good, rank = _as_good(drawn[:, :, axis])
        total += rank
        rivals &= as_good
    better, _ = _as_good(total.astype(np.float64), is_strict=True)
    rivals &= better
    is_beaten: Switches = np.asarray(rivals.any(axis=2))
    return ~is_beaten


def _as_good(column: Values, *, is_strict: bool = False) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return, for each candidate, the bits of those at most (or strictly) as large, and its rank.

    `column` is (draws, candidates), the bits are (draws, candidates, words of 64). Ties share the first rank.
    """
    draws, n = column.shape
    rows = np.arange(draws)[:, np.newaxis]
    order = np.argsort(column, axis=1)
    ordered = np.take_along_axis(column, order, axis=1)
    is_new = np.ones((draws, n), dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(is_new, np.arange(n), 0), axis=1)
    rank = np.empty((draws, n), dtype=np.int64)
    rank[rows, order] = first
    return _prefixes(order)[rows, rank if is_strict else _last(rank, is_new, order, rows) + 1], rank


def _last(
    rank: NDArray[np.int64], is_new: Switches, order: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the last sorted position of each candidate's ties."""
    n = rank.shape[1]
    if is_new.all():
        return rank
    ends = np.ones_like(is_new)
    ends[:, :-1] = is_new[:, 1:]
    places = np.where(ends, np.arange(n), n)
    last = np.empty_like(rank)
    last[rows, order] = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
    return last


def _state(share: float, sure: float) -> FrontierState:
    if share >= sure:
        return FrontierState.FRONTIER
    return FrontierState.DOMINATED if share <= 1 - sure else FrontierState.AMBIGUOUS


def _dominators(
    index: int, names: Sequence[str], values: Values, columns: Values, on_frontier: Switches
) -> tuple[Dominator, ...]:
    """Return the frontier members that dominate a candidate at the values; each dominated one has at least one."""
    mine = values[index]
    rivals = np.flatnonzero(on_frontier & (values <= mine).all(axis=1) & (values < mine).any(axis=1))
    as_good = np.ones((len(rivals), columns.shape[2]), dtype=bool)
    better = np.zeros_like(as_good)
    for axis in range(columns.shape[1]):
        as_good &= columns[rivals, axis] <= columns[index, axis]
        better |= columns[rivals, axis] < columns[index, axis]
    shares = (as_good & better).mean(axis=1)
    found = [Dominator(names[int(rival)], float(share)) for rival, share in zip(rivals, shares, strict=True)]
    return tuple(sorted(found, key=lambda dominator: -dominator.probability))
