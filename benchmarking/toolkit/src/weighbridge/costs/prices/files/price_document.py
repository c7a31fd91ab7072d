"""Read prices from their documents."""

from weighbridge.core.documents import Reader
from weighbridge.costs.prices.files.sheet import date_at, hardware_of
from weighbridge.costs.prices.price import (
    Conversion,
    Hardware,
    Meter,
    Price,
    PriceKind,
    PriceOrigin,
    PriceTier,
    PriceUnit,
    Retirement,
    Term,
    TierRule,
)


def price_of(row: Reader) -> Price:
    """Read a price from its `Price.as_document`; raise Invalid with the path of the invalid key."""
    return Price(
        sku=row.text("sku"),
        provider=row.text("provider"),
        region=row.text("region", ""),
        usd=row.number("usd"),
        unit=row.choice("unit", PriceUnit),
        as_of=date_at(row, "as_of"),
        source=row.text("source"),
        kind=row.choice("kind", PriceKind, PriceKind.INSTANCE),
        term=row.choice("term", Term, Term.ON_DEMAND),
        meter=row.choice("meter", Meter, Meter.WHOLE),
        origin=row.choice("origin", PriceOrigin, PriceOrigin.LIST),
        hardware=_hardware(row),
        tiers=row.items("tiers", lambda tier: PriceTier(tier.number("above"), tier.number("usd"))),
        tier_rule=row.choice("tier_rule", TierRule, TierRule.MARGINAL),
        low_usd=row.number("low_usd") if row.has("low_usd") else None,
        high_usd=row.number("high_usd") if row.has("high_usd") else None,
        list_price=_list_price(row),
        conversion=_conversion(row),
        retirement=_retirement(row),
        note=row.text("note", ""),
    )


def _hardware(row: Reader) -> Hardware | None:
    inner = row.mapping("hardware")
    found = hardware_of(inner)
    inner.close()
    return found


def _list_price(row: Reader) -> Price | None:
    inner = row.mapping("list_price")
    if not inner.has_keys:
        return None
    found = price_of(inner)
    inner.close()
    return found


def _conversion(row: Reader) -> Conversion | None:
    inner = row.mapping("conversion")
    if not inner.has_keys:
        return None
    found = Conversion(
        currency=inner.text("currency"),
        listed=inner.number("listed"),
        usd_per_unit=inner.number("usd_per_unit"),
        as_of=date_at(inner, "as_of"),
        source=inner.text("source"),
    )
    inner.close()
    return found


def _retirement(row: Reader) -> Retirement | None:
    inner = row.mapping("retirement")
    if not inner.has_keys:
        return None
    found = Retirement(date_at(inner, "on"), inner.text("source"), inner.text("successor", ""))
    inner.close()
    return found
