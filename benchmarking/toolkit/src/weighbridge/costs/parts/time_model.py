"""The time model: when costs and benefits fall, how they grow, and what they are worth today.

Costs, benefits and annual amounts all use it, so that they can be compared:

- The model goes live in month `start_month` of year 1; amounts per year count from then on.
- Volume grows once a year: year t has (1 + volume_growth)^(t - 1) times the requests of year 1.
- The amounts of a year count at the middle of its months in service, discounted to the start of year 1.
- Amounts paid once, such as development, fall at the start of year 1 and are not discounted.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.parts.load_curve import MONTHS
from weighbridge.costs.uncertainty import Change

YEARS_MAX = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeModel:
    """The years, the discount rate of a year, the growth of volume in a year, and the month of going live (1 to 12)."""

    years: int = 3
    discount_rate: float = 0.08
    volume_growth: Change = 0.0
    start_month: int = 1

    def check_time(self) -> None:
        """Raise Invalid for years, a rate, growth or a month out of range."""
        if not 1 <= self.years <= YEARS_MAX:
            raise Invalid(f"The horizon must be 1 to {YEARS_MAX} years.", field="years")
        if not -0.5 < self.discount_rate < 1:
            text = "A discount rate must be a share such as 0.08, between -0.5 and 1."
            raise Invalid(text, field="discount_rate")
        if not 1 <= self.start_month <= MONTHS:
            text = f"The model must go live in a month of the first year, 1 to {MONTHS}, not {self.start_month}."
            raise Invalid(text, field="start_month")

    @property
    def time(self) -> dict[str, Any]:
        """Return the inputs of the time model alone, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(TimeModel)}

    @property
    def shares(self) -> NDArray[np.float64]:
        """Return the share of each year (years,) in which the model is in service."""
        return np.array([1 - self._wait, *[1.0] * (self.years - 1)])

    @property
    def discounts(self) -> NDArray[np.float64]:
        """Return today's value of 1 US dollar in each year (years,): (1 + r)^-t at the middle of its service."""
        middles = [(1 + self._wait) / 2, *(year + 0.5 for year in range(1, self.years))]
        return np.asarray((1 + self.discount_rate) ** -np.array(middles))

    @property
    def volume_rise(self) -> Number:
        """Return the factor by which the volume rises from one year to the next."""
        return 1 + self.volume_growth

    def rising(self, usd: Number, rise: Number) -> list[Number]:
        """Return the amounts of the years: `usd` in the first, times `rise` from each to the next."""
        return [usd * rise**year for year in range(self.years)]

    def present_usd(self, yearly: Sequence[Number]) -> Number:
        """Return today's value of amounts per full year: the sum over years of share · amount · (1 + r)^-middle."""
        weights = (self.shares * self.discounts).tolist()
        return sum((weight * usd for weight, usd in zip(weights, yearly, strict=True)), 0.0)

    def factor(self, rise: Number = 1.0) -> Number:
        """Return today's value of 1 US dollar a year that rises by the factor `rise` each year."""
        return self.present_usd(self.rising(1.0, rise))

    def annual_usd(self, present_usd: Number) -> Number:
        """Return the constant amount a year with this present value; that of a constant amount is the amount itself."""
        return present_usd / self.factor()

    def present_by_month(self, yearly: Sequence[Number]) -> NDArray[np.float64]:
        """Return today's value of amounts per full year up to the end of each month, (..., months).

        The amount of a year is spread evenly over its months in service; the last value is that of `present_usd`.
        """
        years = np.stack(np.broadcast_arrays(*yearly), axis=-1) * self.discounts / MONTHS
        is_live = np.arange(self.years * MONTHS) >= self.start_month - 1
        return np.cumsum(np.where(is_live, np.repeat(years, MONTHS, axis=-1), 0.0), axis=-1)

    @property
    def _wait(self) -> float:
        return (self.start_month - 1) / MONTHS
