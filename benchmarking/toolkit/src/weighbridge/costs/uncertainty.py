"""Uncertainty: a 90 % range is a distribution; many draws of the inputs give a distribution of results.

Inputs are dataclasses whose numbers are points or ranges. The calculators accept arrays as well as numbers, so the same
function computes the point and the draws.
"""

import dataclasses
import functools
import math
import typing
from collections.abc import Hashable, Mapping
from typing import Annotated, Any

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
class Bounds:
    """The smallest and the largest value that an input can have."""

    least: float = -math.inf
    most: float = math.inf

    @property
    def accepted(self) -> str:
        """Return what numbers are within the bounds."""
        if self.least == -math.inf:
            return "a number"
        if self.most < math.inf:
            return f"a share between {self.least:g} and {self.most:g}"
        return "a number of zero or more" if self.least == 0 else f"a number of {self.least:g} or more"


@dataclasses.dataclass(frozen=True)
class Range:
    """The 90 % interval of a number, from `low` to `high`: its 5th and 95th percentiles.

    The law is lognormal if the range is above zero, so the median is the geometric mean of both ends. A range that
    starts at zero or below is normal, because a lognormal cannot hold zero; the median is in the middle. Draws beyond
    `bounds` count as the bound, and draws of a range from zero are never negative; neither moves the ends.
    """

    low: float
    high: float
    bounds: Bounds = Bounds()

    def __post_init__(self) -> None:
        """Refuse ranges without a distribution."""
        if not (-math.inf < self.low <= self.high < math.inf):
            text = f"A range goes from a number to one that is not smaller; {self.low:g} to {self.high:g} does not."
            raise Invalid(text, code="range")

    @property
    def law(self) -> str:
        """Return the name of the distribution, with the limits of its draws."""
        least, most = self._limits
        limits = [f"at least {least:g}"] if least > -math.inf and self.low <= 0 else []
        limits += [f"at most {most:g}"] if most < math.inf else []
        return ", ".join(["lognormal" if self.low > 0 else "normal", *limits])

    @property
    def median(self) -> float:
        """Return the geometric mean of both ends, or their middle if the range is not above zero."""
        return math.sqrt(self.low) * math.sqrt(self.high) if self.low > 0 else self.low / 2 + self.high / 2

    def quantile(self, p: float) -> float:
        """Return the p-quantile."""
        from scipy.stats import norm

        return float(self._at(np.asarray(norm.ppf(p))))

    def draw(self, rng: np.random.Generator, n: int) -> Draws:
        """Return `n` draws.

        Lognormal: mu = ln of the median, sigma = ln(high/low) / 3.29. Normal: sigma = (high - low) / 3.29.
        """
        return self._at(rng.standard_normal(n))

    def within(self, bounds: Bounds) -> "Range":
        """Return the range with these bounds of its draws."""
        return dataclasses.replace(self, bounds=bounds)

    @property
    def _limits(self) -> tuple[float, float]:
        return max(self.bounds.least, 0.0 if self.low >= 0 else -math.inf), self.bounds.most

    def _at(self, scores: Draws) -> Draws:
        """Return the values at standard normal scores."""
        if self.low > 0:
            low, high = math.log(self.low), math.log(self.high)
            found = np.exp((low + high) / 2 + (high - low) / Z_SPAN_90 * scores)
        else:
            found = self.median + (self.high / Z_SPAN_90 - self.low / Z_SPAN_90) * scores
        return np.asarray(np.clip(found, *self._limits))


# A number, a Range, or draws. Arithmetic on it is untyped on purpose: the calculators accept numbers and draws,
# and `check_amounts` has already refused everything else.
Amount = Annotated[Any, Bounds(least=0.0)]
Share = Annotated[Any, Bounds(least=0.0, most=1.0)]
# A relative change in a year: 0.1 is 10 % more, and nothing is left at -1.
Change = Annotated[Any, Bounds(least=-1.0)]
Signed = Annotated[Any, Bounds()]


def middle_of(amount: Amount) -> float:
    """Return a plain number, or the median of a range."""
    return amount.median if isinstance(amount, Range) else float(amount)


@functools.cache
def bounds_of(kind: Hashable) -> Mapping[str, Bounds]:
    """Return the bounds of each amount, share, change, signed amount and price of a dataclass, by field name."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {name: _bounds(hint) for name, hint in hints.items()}
    return {name: bounds for name, bounds in found.items() if bounds is not None}


def _bounds(hint: Any) -> Bounds | None:
    """Return the bounds in a type; prices, which are annotated with their unit, are zero or more."""
    if typing.get_origin(hint) is Annotated:
        note = typing.get_args(hint)[1]
        return note if isinstance(note, Bounds) else Bounds(least=0.0)
    inner = typing.get_args(hint)
    return _bounds(inner[0]) if type(None) in inner else None


def check_amounts(spec: Any) -> None:
    """Raise Invalid with the field name if an amount is out of its bounds, not finite, or not a number.

    An amount that is None by default may be None.
    """
    fields = {field.name: field for field in dataclasses.fields(spec)}
    for name, bounds in bounds_of(spec.__class__).items():
        value = getattr(spec, name)
        if value is not None or fields[name].default is not None:
            check_amount(name, value, bounds)


def check_amount(name: str, value: Any, bounds: Bounds) -> None:
    """Raise Invalid with the field name if a number or a range is out of bounds or not finite.

    Draws and prices with tiers pass.
    """
    if isinstance(value, np.ndarray) or (dataclasses.is_dataclass(value) and not isinstance(value, Range)):
        return
    ends = (value.low, value.high) if isinstance(value, Range) else (value,)
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
        raise Invalid(f"{name} must be a number or a range of two, not {value!r:.40}.", code="amount", field=name)
    if not all(bounds.least <= end <= bounds.most and math.isfinite(end) for end in ends):
        shown = " to ".join(f"{end:g}" for end in ends)
        raise Invalid(f"{name} must be {bounds.accepted}, not {shown}.", code="amount", field=name)


def check_positive(spec: Any, *names: str) -> None:
    """Raise Invalid if a divisor can be zero; call `check_amounts` first."""
    for name in names:
        value = getattr(spec, name)
        least = value.low if isinstance(value, Range) else value
        if isinstance(least, int | float) and least <= 0:
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
