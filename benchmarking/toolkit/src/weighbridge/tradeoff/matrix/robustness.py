"""Robustness: how easily another option would win.

Intervals: each draw takes all estimates from the distribution of `pareto`, applies the gates and reruns the method; the
share of draws an option wins is its P(best), and equal options divide a draw. Weights: drawn from a Dirichlet with
parameters 20 · weight (near the stated ones) and with parameters 1 (any weights); the share of wins at the values is
SMAA's acceptability. Flips: one weight changes, the others keep their proportions. Reversals: each loser is removed,
and the rest must keep their order.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from weighbridge.tradeoff.matrix.scores import (
    SAME,
    Frame,
    Switches,
    Values,
    closeness,
    min_max,
    passes,
    weighted_sums,
    win_shares,
)

NEARNESS = 20.0
# Four options correlate as strongly as this by chance once in twenty.
MAX_CORRELATION, LEAST_OPTIONS_OF_CORRELATION = 0.95, 4


@dataclasses.dataclass(frozen=True)
class Flip:
    """If the weight of `criterion` moves from `before` past `after`, with the others in proportion, `winner` wins."""

    criterion: str
    before: float
    after: float
    winner: str

    @property
    def change(self) -> float:
        """Return the change of the weight, positive for an increase."""
        return self.after - self.before


@dataclasses.dataclass(frozen=True)
class Dependence:
    """Two criteria with their correlation over the options, positive if they are good and bad together."""

    first: str
    second: str
    correlation: float


@dataclasses.dataclass(frozen=True)
class Reversal:
    """Without one loser, `method` gives the order `after` instead of `before`."""

    without: str
    method: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def is_of_winner(self) -> bool:
        """Return whether the first place also changes."""
        return self.before[0] != self.after[0]


def p_best(drawn: Values, frame: Frame, weights: Values) -> tuple[Values, Values]:
    """Return the share of draws (draws, options, criteria) that each option wins, and in which it passes the gates."""
    allowed = passes(drawn, frame)
    scores = weighted_sums(min_max(drawn, allowed, frame), allowed, weights)
    return win_shares(scores), allowed.mean(axis=0)


def smaa(shares: Values, allowed: Switches, parameters: Values, *, draws: int, seed: int) -> Values:
    """Return the share of Dirichlet-drawn weights with which each option wins; a parameter of 0 keeps the weight 0."""
    drawn = np.zeros((draws, len(parameters)))
    counts = parameters > 0
    drawn[:, counts] = np.random.default_rng(seed).dirichlet(parameters[counts], draws)
    scores = np.where(allowed, drawn @ shares.T, -np.inf)
    return win_shares(scores)


def flips(names: Sequence[str], criteria: Sequence[str], shares: Values, weights: Values) -> tuple[Flip, ...]:
    """Return, for each criterion, the smallest change of its weight that gives another winner, the smallest first.

    `shares` (options, criteria) has the passing options. The lead of the winner is linear in one weight, so its zero
    has a closed form. Criteria whose weight cannot change the winner are left out.
    """
    best = int((shares @ weights).argmax())
    found = [
        flip
        for index, criterion in enumerate(criteria)
        if len(criteria) > 1 and (flip := _flip(names, criterion, index, shares, weights, best)) is not None
    ]
    return tuple(sorted(found, key=lambda flip: abs(flip.change)))


def _flip(names: Sequence[str], criterion: str, index: int, shares: Values, weights: Values, best: int) -> Flip | None:
    others = np.delete(weights, index)
    total = others.sum()
    proportions = others / total if total > SAME else np.full(len(others), 1 / len(others))
    # The lead over each rival at weight 0 and at weight 1.
    rest, own = np.delete(shares, index, axis=1) @ proportions, shares[:, index]
    at_zero, at_one = rest[best] - rest, own[best] - own
    crossing = [
        (abs(at - weights[index]), rival, at)
        for rival in range(len(names))
        if min(at_zero[rival], at_one[rival]) < -SAME
        for at in [float(at_zero[rival] / (at_zero[rival] - at_one[rival]))]
    ]
    if not crossing:
        return None
    _, rival, at = min(crossing)
    return Flip(criterion, float(weights[index]), min(max(at, 0.0), 1.0), names[rival])


def dependent_criteria(criteria: Sequence[str], shares: Values) -> tuple[Dependence, ...]:
    """Return the pairs of criteria whose positions over the passing options (options, criteria) move as one.

    A weighted sum adds criteria as if each said something of its own. Fewer than four options show nothing.
    """
    if len(shares) < LEAST_OPTIONS_OF_CORRELATION:
        return ()
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.nan_to_num(np.atleast_2d(np.corrcoef(shares, rowvar=False)))
    return tuple(
        Dependence(criteria[first], criteria[second], float(correlations[first, second]))
        for first, second in itertools.combinations(range(len(criteria)), 2)
        if abs(correlations[first, second]) >= MAX_CORRELATION
    )


def reversals(names: Sequence[str], values: Values, frame: Frame, weights: Values) -> tuple[Reversal, ...]:
    """Remove each loser from the passing options (options, criteria); return where the order of the rest changes."""
    found = []
    for method in ("weighted sum", "TOPSIS"):
        whole = _order(method, values, frame, weights)
        for loser in whole[1:]:
            kept = [index for index in range(len(names)) if index != loser]
            before = tuple(names[index] for index in whole if index != loser)
            after = tuple(names[kept[index]] for index in _order(method, values[kept], frame, weights))
            if before != after:
                found.append(Reversal(names[loser], method, before, after))
    return tuple(found)


def _order(method: str, values: Values, frame: Frame, weights: Values) -> list[int]:
    everybody = np.ones(len(values), dtype=bool)
    if method == "TOPSIS":
        scores = closeness(values, everybody, weights)
    else:
        scores = weighted_sums(min_max(values, everybody, frame), everybody, weights)
    # Ties keep the order of the file, so that rounding does not look like a reversal.
    return [int(index) for index in np.argsort(-np.round(scores, 9), kind="stable")]
