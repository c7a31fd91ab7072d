"""Prices of managed models from the installed package genai-prices, without network access.

For a price that depends on the time of day, the highest price is used, because a user cannot choose the hour. Routes
and search types that a request may choose are left out: the usual price of the model holds.
"""

import functools
import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.price import DEPRECATED, UNCOUNTED, Price, PriceKind, PriceTier, PriceUnit, Term, TierRule

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

VERIFIED = re.compile(r"[Vv]erified on (\d{4}-\d{2}-\d{2})")
BY_NAME = {component.vendor_price: component for component in COMPONENTS}
CONTEXTS: Mapping[Term, Mapping[str, str]] = {
    Term.BATCH: {"processing": "batch"},
    Term.FLEX: {"service_tier": "flex"},
    Term.PRIORITY: {"service_tier": "priority"},
    Term.FAST: {"service_tier": "fast", "speed": "fast"},
}
# The package charges at least so many seconds of each request to these models.
LEAST_SECONDS = {"groq/whisper-large-v3": Decimal(10), "groq/whisper-large-v3-turbo": Decimal(10)}
HALF_HOURS = tuple(timedelta(minutes=30 * step) for step in range(48))


def managed_prices(on: date, *, skus: Container[str] | None = None) -> tuple[Price, ...]:
    """Return the prices of all managed models on a day: of each component that the vendor charges, for each term.

    SKUs are `provider/model`; with `skus`, only those are read. The date of a price is the newest day, not after `on`,
    on which the vendor's page was checked, else the newest day on which any page was checked.
    """
    return tuple(_rows(on, skus))


@functools.cache
def data_day() -> date:
    """Return the newest day on which a vendor's page was checked, according to the package."""
    return max(day for _, model in _models() for day in _verified(model))


def _rows(on: date, skus: Container[str] | None) -> Iterator[Price]:
    source, midnight = f"genai-prices {version('genai-prices')}", datetime.combine(on, time(), UTC)
    wanted = (pair for pair in _models() if skus is None or f"{pair[0].id}/{pair[1].id}" in skus)
    for provider, model in wanted:
        as_of = max((day for day in _verified(model) if day <= on), default=min(on, data_day()))
        shared: dict[str, Any] = {"sku": f"{provider.id}/{model.id}", "provider": provider.id, "as_of": as_of}
        usual = _prices(model, on, {})
        shared |= {"source": source, "note": "; ".join(_notes(model, midnight))}
        yield from (_price(key, value, Term.ON_DEMAND, **shared) for key, value in usual.items())
        for term, context in CONTEXTS.items() if model.price_variants else ():
            found = _prices(model, on, context)
            if found != usual:
                yield from (_price(key, value, term, **shared) for key, value in found.items())


def _price(key: str, value: Any, term: Term, **shared: Any) -> Price:
    component = BY_NAME[key]
    return Price(
        usd=component.unit_usd(getattr(value, "base", value)),
        unit=component.unit,
        kind=PriceKind.MODEL,
        term=term,
        meter=component.meter,
        tiers=tuple(
            PriceTier(Decimal(tier.start), component.unit_usd(tier.price)) for tier in getattr(value, "tiers", ())
        ),
        tier_rule=TierRule.ALL_UNITS if hasattr(value, "tiers") else TierRule.MARGINAL,
        least=LEAST_SECONDS.get(shared["sku"]) if component.unit is PriceUnit.AUDIO_H else None,
        **shared,
    )


def _prices(model: "ModelInfo", on: date, context: Mapping[str, str]) -> dict[str, Any]:
    midnight = datetime.combine(on, time(), UTC)
    moments = HALF_HOURS if _varies_by_hour(model) else HALF_HOURS[:1]
    offers = [_named(model.get_prices(midnight + later, context)) for later in moments]
    return max(offers, key=lambda offer: tuple(_base(offer.get(key)) for key in BY_NAME))


def _notes(model: "ModelInfo", moment: datetime) -> Iterator[str]:
    """Yield what a reader must know of the model; components of a newer package are named, not dropped."""
    if model.deprecated:
        yield DEPRECATED
    unknown = [name for name, usd in vars(model.get_prices(moment)).items() if usd is not None and name not in BY_NAME]
    if unknown:
        yield f"{UNCOUNTED} {', '.join(unknown)}"


def _named(prices: "ModelPrice") -> dict[str, Any]:
    found = {key: getattr(prices, key) for key in BY_NAME}
    return {key: value for key, value in found.items() if value is not None}


def _base(value: Any) -> Decimal:
    return Decimal(0) if value is None else getattr(value, "base", value)


def _varies_by_hour(model: "ModelInfo") -> bool:
    offers = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    return any(hasattr(offer.constraint, "start_time") for offer in offers)


def _verified(model: "ModelInfo") -> list[date]:
    return [date.fromisoformat(day) for day in VERIFIED.findall(model.price_comments or "")]


def _models() -> "Iterator[tuple[Provider, ModelInfo]]":
    from genai_prices import data_snapshot

    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            yield provider, model
