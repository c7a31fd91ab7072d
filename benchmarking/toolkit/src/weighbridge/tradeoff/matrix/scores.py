"""Scores: hard gates, then the weighted sum, and TOPSIS as a second opinion; for one matrix or thousands of draws.

Every array has options by criteria in its last two axes, oriented so that larger is better (a criterion with
lower-is-better is negated). Weighted sum: each criterion is min-max scaled to 0 (worst) and 1 (best) over the passing
options, or over its own scale; then sum of weight · share. TOPSIS (Hwang and Yoon 1981): vector normalization,
distances to the ideal and the anti-ideal of those options, closeness = d- / (d+ + d-). A criterion in which all options
are equal has no effect.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.tradeoff.matrix.decision_matrix import Criterion

Values = NDArray[np.float64]
Switches = NDArray[np.bool_]
# Scores that differ by less than this are equal.
SAME = 1e-9


@dataclasses.dataclass(frozen=True)
class Frame:
    """The criteria as arrays (criteria,): signs, gates and ends of scales, oriented; NaN if absent."""

    signs: Values
    gates: Values
    worst: Values
    best: Values

    @classmethod
    def of(cls, criteria: Sequence[Criterion]) -> "Frame":
        """Build the arrays from criteria."""
        signs = np.array([float(each.sign) for each in criteria])
        ends = [(np.nan, np.nan) if each.scale is None else each.scale for each in criteria]
        gates = np.array([np.nan if each.gate is None else each.gate for each in criteria])
        return cls(
            signs, gates * signs, np.array([end[0] for end in ends]) * signs, np.array([end[1] for end in ends]) * signs
        )


def passes(values: Values, frame: Frame) -> Switches:
    """Return which options pass all gates; (..., options)."""
    kept: Switches = np.all(np.isnan(frame.gates) | (values >= frame.gates), axis=-1)
    return kept


def min_max(values: Values, allowed: Switches, frame: Frame) -> Values:
    """Return each estimate's position between worst and best, 0 to 1, over the allowed options or the scale."""
    inside = allowed[..., np.newaxis]
    low = np.where(inside, values, np.inf).min(axis=-2, keepdims=True)
    high = np.where(inside, values, -np.inf).max(axis=-2, keepdims=True)
    low = np.where(np.isnan(frame.worst), low, frame.worst)
    high = np.where(np.isnan(frame.best), high, frame.best)
    span = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Values = np.where(span > 0, (values - low) / span, 1.0)
    return np.clip(np.nan_to_num(shares), 0.0, 1.0)


def weighted_sums(shares: Values, allowed: Switches, weights: Values) -> Values:
    """Return the weighted sum of each option; minus infinity if it is not allowed."""
    sums: Values = np.where(allowed, shares @ weights, -np.inf)
    return sums


def closeness(values: Values, allowed: Switches, weights: Values) -> Values:
    """Return the TOPSIS closeness of each option, 0 to 1 (1 if identical); minus infinity if it is not allowed."""
    inside = allowed[..., np.newaxis]
    length = np.sqrt(np.where(inside, values**2, 0.0).sum(axis=-2, keepdims=True))
    weighted = values / np.where(length > 0, length, 1.0) * weights
    ideal = np.where(inside, weighted, -np.inf).max(axis=-2, keepdims=True)
    anti = np.where(inside, weighted, np.inf).min(axis=-2, keepdims=True)
    with np.errstate(invalid="ignore"):
        to_ideal = np.sqrt(((weighted - ideal) ** 2).sum(axis=-1))
        to_anti = np.sqrt(((weighted - anti) ** 2).sum(axis=-1))
        whole = to_ideal + to_anti
        found = np.where(whole > SAME, to_anti / np.where(whole > SAME, whole, 1.0), 1.0)
    close: Values = np.where(allowed, found, -np.inf)
    return close


def win_shares(scores: Values) -> Values:
    """Return the share of rows (rows, options) that each option wins, (options,); equal options divide a row."""
    best = scores.max(axis=-1, keepdims=True)
    won = np.isfinite(best) & (scores >= best - SAME)
    shares: Values = (won / np.maximum(won.sum(axis=-1, keepdims=True), 1)).mean(axis=0)
    return shares


def ranks(scores: Values) -> list[int | None]:
    """Return the rank of each option (options,), 1 for the best and equal for ties; None if it is not allowed."""
    return [
        1 + int((scores > score + SAME).sum()) if np.isfinite(score) else None for score in (float(s) for s in scores)
    ]
