"""Charges: what a vendor charges for one request, component by component, exactly as the package genai-prices does.

The functions take numbers of any kind: exact decimals, floats, or draws.
"""

import dataclasses
from collections.abc import Mapping

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.prices.components import COMPONENTS, Component
from weighbridge.costs.prices.price import Meter


@dataclasses.dataclass(frozen=True)
class Rate:
    """The price of a unit, and the prices (`above`, `usd`) of a request with more than `above` input tokens in all.

    A tier holds for the whole request. A request is charged for `least` of what is counted, if it has any of it.
    """

    usd: Number
    tiers: tuple[tuple[Number, Number], ...] = ()
    least: Number = 0

    def at(self, input_tokens: Number) -> Number:
        """Return the price of a unit for a request with this number of input tokens."""
        found, usd = self.usd, self.usd
        for above, tier_usd in self.tiers:
            found, usd = found + (tier_usd - usd) * (input_tokens > above), tier_usd
        return found

    def charged(self, count: Number) -> Number:
        """Return the quantity that is charged for."""
        return count + (self.least - count) * ((count > 0) & (count < self.least)) if self.least else count

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged at any tier."""
        return not any((self.usd, *(usd for _, usd in self.tiers)))


@dataclasses.dataclass(frozen=True)
class Charge:
    """One component of a request: its count, the meter and the price that it is charged at, and the amount."""

    component: Component
    count: Number
    meter: Meter
    unit_usd: Number
    usd: Number


def charges(rates: Mapping[Meter, Rate], counts: Mapping[str, Number]) -> tuple[Charge, ...]:
    """Return the charge of each component with a count; each request has the count 1 of `requests`.

    Raises Invalid with the name of a quantity that no price covers.
    """
    counted = [(each, counts[each.quantity]) for each in COMPONENTS if is_some(counts.get(each.quantity, 0))]
    asked = sum(count for each, count in counted if each.is_input_token)
    return tuple(_charge(rates, each, count, asked) for each, count in counted)


def left_out(rates: Mapping[Meter, Rate], counts: Mapping[str, Number]) -> tuple[Component, ...]:
    """Return the components that have a price but no count."""
    return tuple(
        each
        for each in COMPONENTS
        if each.meter in rates and not rates[each.meter].is_free and not is_some(counts.get(each.quantity, 0))
    )


def is_some(count: Number) -> bool:
    """Whether a quantity is stated: draws and ranges are, and numbers other than zero."""
    return not (isinstance(count, int | float) and count == 0)


def meter_of(rates: Mapping[Meter, Rate], component: Component) -> Meter:
    """Return the meter that a component is charged at, its own or the nearest general one; raise Invalid if none."""
    meter = next((each for each in (component.meter, *component.general) if each in rates), None)
    if meter is None:
        text = f"{component.quantity} has no price; leave it out, or give {component.price}."
        raise Invalid(text, field=component.quantity, code="no_price")
    return meter


def _charge(rates: Mapping[Meter, Rate], component: Component, count: Number, asked: Number) -> Charge:
    meter = meter_of(rates, component)
    rate = rates[meter]
    unit_usd = rate.at(asked)
    return Charge(component, count, meter, unit_usd, unit_usd * rate.charged(count) / component.per_unit)
