"""Read the prices of a managed model: all of a SKU, `{sku: openai/gpt-4o-mini}`, or one by one."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.charges import Rate
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.prices.components import COMPONENTS, Component
from weighbridge.costs.prices.price import Meter, Price, Term, TierRule
from weighbridge.costs.spec.reading import Given, amount, inputs, placed

if TYPE_CHECKING:
    from weighbridge.costs.spec.pins import Pins


def model_prices(pins: "Pins", reader: Reader, key: str, given: Given) -> ModelPrices:
    """Return the prices under `key` and pin them; raise Invalid with the path of a fault.

    With a `batch_share` beside them, the vendor's batch prices are added if it has any.
    """
    prices = reader.mapping(key)
    if not prices.has("sku"):
        return _one_by_one(pins, prices, given)
    sku, term = prices.text("sku"), prices.choice("term", Term, Term.ON_DEMAND)
    factor = amount(prices, "factor", at_least=0) if prices.asks("factor") else 1.0
    prices.close()
    wants_batch = reader.has("batch_share") and not reader.has("batch_price_ratio") and term is not Term.BATCH
    has_batch = wants_batch and bool(_offered(pins, sku, Term.BATCH))
    stated = [each for each in COMPONENTS if each.meter is Meter.WHOLE or reader.has(each.quantity)]
    found = _all_of(pins, prices, sku, term, stated)
    batch = _all_of(pins, prices, sku, Term.BATCH, stated) if has_batch else None
    return dataclasses.replace(found, factor=factor, batch=batch)


def rate_of(price: Price) -> Rate:
    """Return the exact price of a unit with its tiers; raise Invalid for tiers of a part of a request."""
    if price.tiers and price.tier_rule is not TierRule.ALL_UNITS:
        text = f"The tiers of {price.sku} charge parts of a request; a model needs tier_rule: {TierRule.ALL_UNITS}."
        raise Invalid(text, field="sku")
    return Rate(price.usd, tuple((tier.above, tier.usd) for tier in price.tiers), price.least or 0)


def in_floats(prices: Reader, price: Price, factor: float = 1.0) -> Rate | float:
    """Return the price in floats, times a factor: a plain number if there is neither a tier nor a least quantity.

    Raises Invalid with the path of a SKU whose tiers are not those of a model.
    """
    try:
        rate = rate_of(price)
    except Invalid as refused:
        raise placed(refused, prices, "sku") from refused
    if not rate.tiers and not rate.least:
        return float(rate.usd) * factor
    tiers = tuple((float(above), float(usd) * factor) for above, usd in rate.tiers)
    return Rate(float(rate.usd) * factor, tiers, float(rate.least))


def _all_of(pins: "Pins", prices: Reader, sku: str, term: Term, stated: Sequence[Component]) -> ModelPrices:
    """Return the prices of all components, and pin those that the stated quantities are charged at."""
    # A SKU that the term does not have is refused by name, as if its first component were asked for.
    offered = _offered(pins, sku, term) or COMPONENTS[:1]
    listed = {each: pins.find(prices, sku, term=term, meter=each.meter) for each in offered}
    for component, price in listed.items():
        if price.unit is not component.unit:
            raise prices.fault("sku", f"is priced per {price.unit.value}; it is no managed model.")
    found: dict[str, Any] = {each.price: in_floats(prices, price) for each, price in listed.items()}
    meters = {each.meter for each in listed}
    charged = {next((meter for meter in (each.meter, *each.general) if meter in meters), None) for each in stated}
    for component, price in listed.items():
        if component.meter in charged:
            path = f"batch.{component.price}" if term is Term.BATCH else component.price
            pins.pin(prices.at(path), price)
    return ModelPrices(**found)


def _offered(pins: "Pins", sku: str, term: Term) -> tuple[Component, ...]:
    return tuple(each for each in COMPONENTS if pins.book.opinions(sku, term=term, meter=each.meter))


def _one_by_one(pins: "Pins", prices: Reader, given: Given) -> ModelPrices:
    """Read each price by its key; what else the SKUs of the keys charge is left out by name."""
    before = len(pins.used)
    found = inputs(ModelPrices, prices, prices=pins, given={**given, ModelPrices: {"batch": None, "others": ()}})
    offers = {each for price in pins.used[before:] for each in _offered(pins, price.sku, price.term)}
    others = tuple(each.quantity for each in COMPONENTS if each in offers and getattr(found, each.price) is None)
    return dataclasses.replace(found, others=others)
