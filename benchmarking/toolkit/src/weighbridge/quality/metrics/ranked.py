"""Rows in the order of their scores, sorted once, for areas under curves with any weights of the rows."""

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
        ordered = weights[self.order]
        real = np.add.reduceat(np.where(self.is_real, ordered, 0.0), self.starts)
        return real, np.add.reduceat(np.where(self.is_real, 0.0, ordered), self.starts)

    def roc_auc(self, weights: NDArray[np.float64]) -> float:
        """Return the share of pairs of a real and another row in which the real one has the higher score."""
        real, rest = self._steps(weights)
        below = rest.sum() - np.cumsum(rest)
        return float((real * (below + rest / 2)).sum() / (real.sum() * rest.sum()))

    def average_precision(self, weights: NDArray[np.float64]) -> float:
        """Return the mean precision at each real row, as `sklearn.metrics.average_precision_score` defines it."""
        real, rest = self._steps(weights)
        hits = np.cumsum(real)
        seen = hits + np.cumsum(rest)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return float((real * precision).sum() / hits[-1])
