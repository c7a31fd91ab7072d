"""Why a cost differs from its plan: volume, efficiency and price, which add up to the difference exactly.

With Q requests, u units for each request and p dollars for each unit, planned (P) and actual (A):

    A - P = (Q_a - Q_p) u_p p_p  [volume]  +  Q_a (u_a - u_p) p_p  [efficiency]  +  Q_a u_a (p_a - p_p)  [price]

Units are whatever the resource is counted in (GPU hours, tokens), the same on both sides.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from weighbridge.core.errors import Invalid
from weighbridge.core.money import CENT


@dataclass(frozen=True)
class MonthUsage:
    """The usage of a month: requests, units used for them, and dollars."""

    requests: Decimal
    units: Decimal
    usd: Decimal


@dataclass(frozen=True)
class Split:
    """The three parts of a month's difference, in whole cents."""

    volume: Decimal
    efficiency: Decimal
    price: Decimal

    @property
    def total(self) -> Decimal:
        """Actual less planned."""
        return self.volume + self.efficiency + self.price


def split(planned: MonthUsage, actual: MonthUsage) -> Split:
    """The three parts of `actual.usd - planned.usd`, in cents, half to even.

    Calculated in fractions; the cents that rounding leaves over are the price's, so that the parts add up to the
    rounded difference. Raises Invalid where the plan has no requests or no units, or a figure is below zero.
    """
    for name, value in (("planned.requests", planned.requests), ("planned.units", planned.units)):
        if not value.is_finite() or value <= 0:
            raise Invalid(f"{name} must be more than zero.", field=name)
    for name, value in (("actual.requests", actual.requests), ("actual.units", actual.units)):
        if not value.is_finite() or value < 0:
            raise Invalid(f"{name} must not be below zero.", field=name)
    volume, efficiency, price = exact_parts(planned, actual)
    total = cents(volume + efficiency + price)
    parts = cents(volume), cents(efficiency)
    return Split(*parts, total - parts[0] - parts[1])


def exact_parts(planned: MonthUsage, actual: MonthUsage) -> tuple[Fraction, Fraction, Fraction]:
    """Volume, efficiency and price as fractions of a dollar."""
    q_p, u_p, c_p = (Fraction(value) for value in (planned.requests, planned.units, planned.usd))
    q_a, u_a, c_a = (Fraction(value) for value in (actual.requests, actual.units, actual.usd))
    return (q_a - q_p) * c_p / q_p, (u_a - q_a * u_p / q_p) * c_p / u_p, c_a - u_a * c_p / u_p


def cents(value: Fraction) -> Decimal:
    """A fraction of a dollar in whole cents, half to even."""
    return (Decimal(round(value * 100)) * CENT).quantize(CENT, ROUND_HALF_EVEN)
