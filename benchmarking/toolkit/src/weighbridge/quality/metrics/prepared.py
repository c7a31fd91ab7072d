"""Metrics prepared for resampling: whatever a row adds is calculated once, and each resample only weighs the rows."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from weighbridge.quality.metrics.shares import Shares

# Independent rows are put into at most this many random blocks, which are resampled whole: blocks of independent rows
# are independent, and a million rows cost no more than ten thousand.
MAX_UNITS = 10_000
CHUNK_CELLS = 2_000_000
# Metrics that rank rows take a time for each row and resample. Beyond this number, fewer resamples give the standard
# error, of which 200 are within 5 % (1 / sqrt(2 * 200)).
MAX_RANKED, MIN_RANKED = 50_000_000, 200


@dataclasses.dataclass(frozen=True)
class Units:
    """What is resampled whole: the unit of each row, (rows,), numbered from 0 to `count` - 1, and the rows' weights.

    `n` is the number of independent units in the data, which is above `count` if rows were put into blocks.
    """

    of_row: NDArray[np.int64]
    count: int
    n: int
    weights: NDArray[np.float64]

    @property
    def are_plain(self) -> bool:
        """Whether every row is independent and weighs the same, as closed forms assume."""
        return self.n == len(self.of_row) and bool(np.all(self.weights == 1))

    def using(self, rows: NDArray[np.bool_] | None) -> "Units":
        """Return the units with the number of those that have a row which counts."""
        return self if rows is None else dataclasses.replace(self, n=int(self.counts(rows[:, None])[0]))

    def counts(self, used: Any) -> NDArray[np.int64]:
        """Return the number of independent units with a row that is used, for each column of `used`, (rows, k)."""
        if self.n == len(self.of_row):
            return np.asarray(used.sum(axis=0), dtype=np.int64).ravel()
        counted = dataclasses.replace(self, weights=np.ones(len(self.of_row))).matrix @ used
        return np.asarray((counted > 0).sum(axis=0), dtype=np.int64).ravel()

    @property
    def matrix(self) -> Any:
        """The weight of each row in its unit, a sparse matrix (count, rows)."""
        from scipy.sparse import csr_array

        rows = len(self.of_row)
        return csr_array((self.weights, (self.of_row, np.arange(rows))), shape=(self.count, rows))

    def draws(self, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
        """Yield how often each unit is drawn, in chunks of shape (resamples, count)."""
        rng = np.random.default_rng(seed)
        chunk = max(1, CHUNK_CELLS // self.count)
        for start in range(0, resamples, chunk):
            size = min(chunk, resamples - start)
            drawn = rng.integers(0, self.count, (size, self.count)) + self.count * np.arange(size)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=size * self.count)
            yield counts.reshape(size, self.count).astype(np.float64)


class Prepared(Protocol):
    """A metric of certain rows; `left_out` is a sentence about rows that it cannot use, `used` are the others.

    `shares` are those whose mean the metric is, and `rarest` the rows of the rarest class of a metric that ranks rows:
    a class of few rows leaves a metric uncertain, but resamples of them hardly vary.
    """

    @property
    def left_out(self) -> str:
        """The sentence, or nothing."""

    @property
    def used(self) -> NDArray[np.bool_] | None:
        """The rows that count, None if all do."""

    @property
    def shares(self) -> "Shares | None":
        """The shares whose mean it is; None for other metrics."""

    @property
    def rarest(self) -> NDArray[np.bool_] | None:
        """The rows of the rarest class; None for metrics that do not rank classes."""

    def value(self, units: Units) -> float:
        """Return the metric of all rows; NaN if it is not defined."""

    def affordable(self, resamples: int, rows: int) -> int:
        """Return how many of the resamples of so many rows are calculated."""

    def values(self, units: Units, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metric of each resample, (resamples,)."""


@dataclasses.dataclass(frozen=True)
class OfSums:
    """A function of sums over rows: `parts` (rows, k), perhaps sparse, and `combine` from sums (..., k) to metrics."""

    parts: Any
    combine: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    left_out: str = ""
    used: NDArray[np.bool_] | None = None
    shares: "Shares | None" = None
    rarest: None = None

    def affordable(self, resamples: int, rows: int) -> int:
        """Return all of them, because a resample costs no more than its units."""
        return resamples

    def value(self, units: Units) -> float:
        """Return the metric of all rows."""
        return float(self._combined((units.weights @ self.parts)[None])[0])

    def values(self, units: Units, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metric of each resample."""
        return self._combined(draws @ (units.matrix @ self.parts))

    def _combined(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return np.asarray(self.combine(sums), dtype=np.float64)


@dataclasses.dataclass(frozen=True)
class OfWeights:
    """A function from the weights of all rows, (resamples, rows), to metrics, (resamples,), for ranks of rows.

    `curves` is how often it passes through the rows.
    """

    metric: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    curves: int = 1
    left_out: str = ""
    used: NDArray[np.bool_] | None = None
    rarest: NDArray[np.bool_] | None = None
    shares: None = None

    def affordable(self, resamples: int, rows: int) -> int:
        """Return how many resamples of so many rows are calculated."""
        return min(resamples, max(MIN_RANKED, MAX_RANKED // (rows * self.curves)))

    def value(self, units: Units) -> float:
        """Return the metric of all rows."""
        return float(self._of(units.weights[None])[0])

    def values(self, units: Units, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metric of each resample."""
        size = max(1, CHUNK_CELLS // len(units.of_row))
        chunks = (draws[start : start + size] for start in range(0, len(draws), size))
        return np.concatenate([self._of(chunk[:, units.of_row] * units.weights) for chunk in chunks])

    def _of(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return np.asarray(self.metric(weights), dtype=np.float64)


def one_by_one(metric: Callable[[NDArray[np.float64]], float]) -> OfWeights:
    """Return a metric that takes the weights of one resample, (rows,), at a time."""
    return OfWeights(lambda weights: np.array([metric(each) for each in weights]))


def mean_defined(areas: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean of metrics, each (resamples,), over those that are defined in a resample; NaN without any."""
    stacked = np.stack(areas)
    is_defined = np.isfinite(stacked)
    return np.asarray(np.where(is_defined, stacked, 0).sum(axis=0) / is_defined.sum(axis=0))


def mean_of(values: NDArray[Any]) -> OfSums:
    """Return the mean of one value for each row."""
    return ratio_of(values, np.ones(len(values)))


def ratio_of(
    numerators: NDArray[Any],
    denominators: NDArray[Any],
    left_out: str = "",
    used: NDArray[np.bool_] | None = None,
    shares: "Shares | None" = None,
) -> OfSums:
    """Return the ratio of two sums over rows."""
    parts = np.column_stack([numerators, denominators]).astype(np.float64)
    return OfSums(parts, lambda sums: sums[..., 0] / sums[..., 1], left_out, used, shares)


def cells_of(codes: Sequence[NDArray[Any]], values: Sequence[NDArray[Any]], cells: int) -> Any:
    """Return sparse parts (rows, cells): each row adds its values to the cells of its codes."""
    from scipy.sparse import csr_array

    rows = len(codes[0])
    places = np.tile(np.arange(rows), len(codes))
    entries = np.concatenate(values).astype(np.float64)
    return csr_array((entries, (places, np.concatenate(codes))), shape=(rows, cells))


def units_of(rows: int, *, seed: int, groups: NDArray[Any] | None = None, weights: NDArray[Any] | None = None) -> Units:
    """Return the units of rows with these groups, or each row its own; all weigh the same without weights."""
    heavy = np.ones(rows) if weights is None else weights
    if groups is not None:
        names, of_row = np.unique(groups, return_inverse=True)
        return Units(of_row.astype(np.int64), len(names), len(names), heavy)
    if rows <= MAX_UNITS:
        return Units(np.arange(rows), rows, rows, heavy)
    blocks = np.random.default_rng(seed).permutation(rows) % MAX_UNITS
    return Units(blocks.astype(np.int64), MAX_UNITS, rows, heavy)
