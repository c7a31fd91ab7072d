"""Transactions: no package ships labeled payments, so a generator makes them, by a law whose best score is known.

The law. Twelve features x, each standard normal, every two correlated by 0.2 (one shared factor). The log odds of fraud
are

    s(x) = b + 1.5·x1 + 1.1·x2 + 0.9·x3 - 0.7·x4 + 0.5·x5 + 1.2·x1·x2 - 0.9·x3·x6 + 1.1·max(x7, 0)·max(x8, 0) +
    0.7·x9·x10·x11

with b such that about 1 transaction in 100 is fraud; x12 says nothing. A fraud is drawn with probability 1 / (1 +
exp(-s)), and 3 % of frauds are never reported: they are labeled genuine. No detector can order transactions better
than s does, so the ceiling of every model is known, which real data never tell; what is estimated here can be held
against it.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

FEATURES = 12
SHARED_FACTOR, UNREPORTED = 0.2, 0.03
INTERCEPT = -9.5
FALSE_ALARMS = 0.01
Rows = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Transactions:
    """Features (n, 12) and labels (n,), 1 for a reported fraud; `log_odds` (n,) of the law are seen by no model."""

    x: Rows
    y: NDArray[np.int64]
    log_odds: NDArray[np.float64]

    def part(self, start: int, size: int) -> "Transactions":
        """Return some transactions in a row."""
        rows = slice(start, start + size)
        return Transactions(self.x[rows], self.y[rows], self.log_odds[rows])


def generate(rows: int, *, seed: int) -> Transactions:
    """Draw transactions by the law; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((rows, 1))
    own = rng.standard_normal((rows, FEATURES))
    x = (np.sqrt(SHARED_FACTOR) * shared + np.sqrt(1 - SHARED_FACTOR) * own).astype(np.float32)
    odds = log_odds(x)
    is_fraud = rng.random(rows) < 1 / (1 + np.exp(-odds))
    is_reported = rng.random(rows) >= UNREPORTED
    return Transactions(x, (is_fraud & is_reported).astype(np.int64), odds)


def log_odds(x: Rows) -> NDArray[np.float64]:
    """Return s(x) of the law."""
    c = x.astype(np.float64).T
    found: NDArray[np.float64] = (
        INTERCEPT
        + 1.5 * c[0]
        + 1.1 * c[1]
        + 0.9 * c[2]
        - 0.7 * c[3]
        + 0.5 * c[4]
        + 1.2 * c[0] * c[1]
        - 0.9 * c[2] * c[5]
        + 1.1 * np.maximum(c[6], 0) * np.maximum(c[7], 0)
        + 0.7 * c[8] * c[9] * c[10]
    )
    return found


def caught(scores: NDArray[np.floating], labels: NDArray[np.int64], *, false_alarms: float = FALSE_ALARMS) -> int:
    """Return how many labeled frauds score above the threshold that flags the share `false_alarms` of genuine ones."""
    threshold = np.quantile(scores[labels == 0], 1 - false_alarms)
    return int((scores[labels == 1] > threshold).sum())
