"""Rows in the order of their scores, sorted once, for areas under curves with any weights, (resamples, rows)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class RankedRows:
    """Rows by falling score; rows with equal scores are one step. Areas are NaN without both kinds of rows."""

    def __init__(self, is_real: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.is_real = is_real[self.order]

    def _steps(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weight of real and of other rows at each step, (resamples, steps)."""
        ordered = weights[:, self.order]
        real = np.add.reduceat(ordered * self.is_real, self.starts, axis=1)
        return real, np.add.reduceat(ordered, self.starts, axis=1) - real

    def roc_auc(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of pairs of a real and another row in which the real one has the higher score."""
        real, rest = self._steps(weights)
        others = rest.sum(axis=1)
        below = others[:, None] - np.cumsum(rest, axis=1)
        return np.asarray((real * (below + rest / 2)).sum(axis=1) / (real.sum(axis=1) * others))

    def average_precision(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean precision at each real row, as `sklearn.metrics.average_precision_score` defines it."""
        real, rest = self._steps(weights)
        hits = np.cumsum(real, axis=1)
        seen = hits + np.cumsum(rest, axis=1)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return np.asarray((real * precision).sum(axis=1) / hits[:, -1])


def rarest_of(sides: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the fewest rows that a class has, or does not have, from the rows of each class, (rows,)."""
    return min((side for is_real in sides for side in (is_real, ~is_real)), key=lambda side: int(side.sum()))
