"""Uncertainty: a 90 % range is a lognormal distribution; many draws of the inputs give a distribution of results.

Inputs are dataclasses whose numbers are points or ranges. The calculators accept arrays as well as numbers, so the same
function computes the point and the draws.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

Draws = NDArray[np.float64]
DRAWS = 10_000
SEED = 20_260_101
# A 90 % interval of a normal distribution spans 2 · 1.645 standard deviations.
Z_SPAN_90 = 3.2897072539029435
LEVELS: Mapping[str, float] = {"p10": 0.1, "p50": 0.5, "p80": 0.8, "p90": 0.9}


@dataclasses.dataclass(frozen=True)
class Range:
    """The 90 % interval of a positive number, from `low` to `high`; the median is their geometric mean."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse ranges that no lognormal distribution fits."""
        if not (0 < self.low <= self.high < math.inf):
            text = "A range goes from a positive number to one that is not smaller"
            raise Invalid(f"{text}; {self.low:g} to {self.high:g} does not.", code="range")

    @property
    def median(self) -> float:
        """Return the geometric mean of both ends."""
        return math.sqrt(self.low) * math.sqrt(self.high)

    def quantile(self, p: float) -> float:
        """Return the p-quantile."""
        from scipy.stats import norm

        return float(math.exp(math.log(self.median) + self._sigma * float(norm.ppf(p))))

    def draw(self, rng: np.random.Generator, n: int) -> Draws:
        """Return `n` draws: lognormal with mu = ln of the median, sigma = ln(high/low) / 3.29."""
        return np.asarray(rng.lognormal(math.log(self.median), self._sigma, n))

    @property
    def _sigma(self) -> float:
        return math.log(self.high / self.low) / Z_SPAN_90


# A number, a Range, or draws. Arithmetic on it is untyped on purpose: the calculators accept numbers and draws,
# and `check_amounts` has already refused everything else.
Amount = Any


def middle_of(amount: Amount) -> float:
    """Return a plain number, or the median of a range."""
    return amount.median if isinstance(amount, Range) else float(amount)


def check_amounts(spec: Any, *names: str, but: Sequence[str] = ()) -> None:
    """Raise Invalid with the field name if an amount is negative, not finite, or not a number.

    Without names, all fields are amounts, `but` for those. An amount that is None by default may be None.
    """
    for field in dataclasses.fields(spec):
        name, value = field.name, getattr(spec, field.name)
        if (names and name not in names) or name in but or (value is None and field.default is None):
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not (0 <= value < math.inf):
            raise Invalid(f"{name} must be a number of zero or more, not {value:g}.", code="amount", field=name)
        if not is_number and not isinstance(value, Range | np.ndarray):
            raise Invalid(f"{name} must be a number or a range of two, not {value!r:.40}.", code="amount", field=name)


def check_positive(spec: Any, *names: str) -> None:
    """Raise Invalid if a divisor is zero; call `check_amounts` first."""
    for name in names:
        value = getattr(spec, name)
        if isinstance(value, int | float) and value == 0:
            raise Invalid(f"{name} must be above zero.", code="amount", field=name)


def check_share(spec: Any, *names: str, below: float = math.inf) -> None:
    """Raise Invalid if a plain number is not between 0 and 1, or not below `below`."""
    for name in names:
        value = getattr(spec, name)
        if not 0 <= value <= 1 or value >= below:
            end = "below 1" if below <= 1 else "1"
            raise Invalid(f"{name} must be a share between 0 and {end}, not {value:g}.", code="share", field=name)


def levels_of(draws: Draws | float) -> dict[str, float]:
    """Return P10, P50, P80 and P90 of the draws, each an actual draw; for a plain number, all are that number."""
    values = np.atleast_1d(np.asarray(draws, dtype=np.float64))
    found = np.quantile(values, list(LEVELS.values()), method="inverted_cdf")
    return {name: float(level) for name, level in zip(LEVELS, found, strict=True)}


def probability_above(draws: Draws | float, threshold: float) -> float:
    """Return the share of draws above the threshold."""
    return float((np.atleast_1d(np.asarray(draws, dtype=np.float64)) > threshold).mean())


@dataclasses.dataclass(frozen=True)
class Swing:
    """The result with one input at its P10 and at its P90, and all others at their medians."""

    name: str
    at_p10: float
    at_p90: float

    @property
    def size(self) -> float:
        """Return the absolute difference of the results."""
        return abs(self.at_p90 - self.at_p10)
