"""Checks of evaluation data: reasons why a quality value on it says nothing, or less than it seems.

Every check is a function of the rows, the labels and the score. A reason is void if the value must not be used.
"""

import dataclasses
import hashlib
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval

# Wilson's 95 % interval of one right in two is wider than 33 points below this number of rows.
MIN_ROWS = 30
# Intervals assume independent rows. With this share of repeated rows they are at most 5 % too narrow (the square root
# of n / distinct), and beyond the second share at least 41 %.
MAX_REPEATED, VOID_REPEATED = 0.1, 0.5
# A variant may lose one point of accuracy by default; below this share, rows seen in calibration cannot hide that.
MAX_SEEN = 0.01
# Without an error in 100 rows, the error rate is below 3 % with 95 % confidence (the rule of three).
PERFECT_ROWS = 100
# Neighbors in images, spectrograms and other signals correlate by 0.9 and more (Simoncelli and Olshausen, 2001, Annual
# Review of Neuroscience 24:1193). In noise, the correlation of k pairs is within 4 / sqrt(k) of zero.
MAX_NOISE_CORRELATION, NOISE_DEVIATIONS = 0.05, 4.0
NOISE_ACCURACY = 0.99
# Shorter axes are channels or features, whose order means nothing.
MIN_SIGNAL_LENGTH = 8
# A sample is enough for a correlation; sorting out the rows of large images would take minutes.
NOISE_ROWS = 1_000


@dataclasses.dataclass(frozen=True)
class DataDoubt:
    """A reason to doubt a quality value: a stable code, whether it voids the value, and a sentence."""

    code: str
    is_void: bool
    message: str


def data_doubts(x: NDArray[np.generic], y: NDArray[np.generic]) -> tuple[DataDoubt, ...]:
    """Return the doubts about rows of shape (rows, ...) with labels (rows,); empty for sound data."""
    return tuple(_data_doubts(x, y))


def _data_doubts(x: NDArray[np.generic], y: NDArray[np.generic]) -> Iterator[DataDoubt]:
    rows = len(x)
    if rows < MIN_ROWS:
        text = f"The data set has {rows} rows; quality on fewer than {MIN_ROWS} rows says nothing."
        yield DataDoubt("quality.rows", True, text)
    if rows and np.all(y == y[0]):
        text = f"All {rows:,} labels are {y[0]}: a model that always answers so is always right."
        yield DataDoubt("quality.one_label", True, text)
    distinct = len(row_digests(x))
    if rows > 1 and distinct == 1:
        yield DataDoubt("quality.constant", True, f"All {rows:,} rows have the same input.")
    elif rows - distinct > MAX_REPEATED * rows:
        text = f"{rows - distinct:,} of {rows:,} rows repeat the input of another row; count each input once."
        yield DataDoubt("quality.repeated", rows - distinct > VOID_REPEATED * rows, text)


def row_digests(x: NDArray[np.generic]) -> frozenset[bytes]:
    """Return the distinct digests of rows of shape (rows, ...); equal bytes have equal digests."""
    return frozenset(_digest(row) for row in x)


def was_seen(x: NDArray[np.generic], seen: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return for each row of `x` whether its bytes occur in `seen`, shape (rows,)."""
    known = row_digests(seen)
    return np.fromiter((_digest(row) in known for row in x), np.bool_, len(x))


def seen_doubt(x: NDArray[np.generic], seen: NDArray[np.generic]) -> DataDoubt | None:
    """Return a doubt if too many rows were also used for calibration or training; None otherwise."""
    count = int(was_seen(x, seen).sum())
    if count <= MAX_SEEN * len(x):
        return None
    text = (
        f"{count:,} of {len(x):,} test rows are also calibration or training rows, more than {MAX_SEEN:.0%}; a variant "
        "must be tested on rows that it has not seen."
    )
    return DataDoubt("quality.seen", True, text)


def answer_doubts(x: NDArray[np.generic], accuracy: Interval | None) -> tuple[DataDoubt, ...]:
    """Return the doubts that the accuracy on these rows raises; empty for regression (None)."""
    if accuracy is None or accuracy.n < PERFECT_ROWS:
        return ()
    doubts = []
    if is_perfect(accuracy.value, accuracy.n):
        text = (
            f"The model answered all {accuracy.n:,} rows right. Check that its own answers did not become the labels, "
            "and that it was not trained on these rows."
        )
        doubts.append(DataDoubt("quality.perfect", False, text))
    if accuracy.value >= NOISE_ACCURACY and is_noise(x):
        text = (
            f"The inputs are noise: neighbors do not correlate. Yet {accuracy.value:.1%} of the labels are the model's "
            "answers, so the labels were made from its answers."
        )
        doubts.append(DataDoubt("quality.noise", True, text))
    return tuple(doubts)


def is_perfect(accuracy: float, rows: int) -> bool:
    """Whether the labels equal the answers on all of at least `PERFECT_ROWS` rows."""
    return accuracy == 1 and rows >= PERFECT_ROWS


def is_noise(x: NDArray[np.generic]) -> bool:
    """Whether signals of shape (rows, ..., length, ...) are noise along every axis of at least MIN_SIGNAL_LENGTH.

    Needs two axes besides the rows, because the order of single features means nothing; other inputs are never noise.
    """
    axes = [axis for axis in range(1, x.ndim) if x.shape[axis] >= MIN_SIGNAL_LENGTH]
    if x.ndim < 3 or not axes:
        return False
    signals = np.asarray(x[:NOISE_ROWS], dtype=np.float64)
    if not np.isfinite(signals).all():
        return False
    return all(_is_uncorrelated(signals, axis) for axis in axes)


def _is_uncorrelated(signals: NDArray[np.float64], axis: int) -> bool:
    before = np.moveaxis(signals, axis, -1)[..., :-1].ravel()
    after = np.moveaxis(signals, axis, -1)[..., 1:].ravel()
    before, after = before - before.mean(), after - after.mean()
    scale = math.sqrt(float(before @ before) * float(after @ after))
    if scale == 0:
        return False
    limit = max(MAX_NOISE_CORRELATION, NOISE_DEVIATIONS / math.sqrt(len(before)))
    return abs(float(before @ after)) / scale < limit


def _digest(row: NDArray[np.generic]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).digest()
