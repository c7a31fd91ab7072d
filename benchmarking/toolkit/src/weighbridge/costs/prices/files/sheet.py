"""A price sheet: a list of prices with one source, as YAML; values at the top apply to all rows.

```yaml
apiVersion: weighbridge/v1
kind: PriceSheet
name: our-lab
source: quotation 4711 of the hosting company
as_of: 2026-09-01
provider: lab
region: basement
unit: instance_h
prices:
  - {name: rack-a, on_demand: 1.25, gpu: L4, gpus: 2, gpu_gib: 24}
```

`name` of a row becomes the SKU `lab/basement/rack-a`. A row has one amount for each purchase term and may override
`as_of`, `source`, `region`, `unit`, `meter` and `note`. Amounts in a currency other than USD (`currency`) need a dated
exchange rate.
"""

import dataclasses
from datetime import date
from decimal import Decimal

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.currency import FxTable
from weighbridge.costs.prices.files.exact_yaml import date_at, reader_of
from weighbridge.costs.prices.price import (
    Conversion,
    Hardware,
    Meter,
    Price,
    PriceKind,
    PriceList,
    PriceTier,
    PriceUnit,
    Term,
    TierRule,
)

DOCUMENT_KIND = "PriceSheet"
USD = "USD"


@dataclasses.dataclass(frozen=True)
class _Head:
    source: str
    as_of: date
    provider: str
    region: str
    unit: PriceUnit
    kind: PriceKind
    currency: str
    fx: FxTable | None


def read_sheet(document: object, *, fx: FxTable | None = None) -> PriceList:
    """Read a sheet; raise Invalid with the path of the invalid key."""
    reader = reader_of(document, DOCUMENT_KIND)
    name = reader.text("name")
    head = _Head(
        source=reader.text("source"),
        as_of=date_at(reader, "as_of"),
        provider=reader.text("provider"),
        region=reader.text("region", ""),
        unit=reader.choice("unit", PriceUnit, PriceUnit.INSTANCE_H),
        kind=reader.choice("sort", PriceKind, PriceKind.INSTANCE),
        currency=reader.text("currency", USD),
        fx=fx,
    )
    rows = reader.items("prices", lambda row: _prices(row, head))
    reader.text("license", "")
    reader.close()
    prices = tuple(price for row in rows for price in row)
    _check_unique(prices)
    return PriceList(name, head.source, head.as_of, prices)


def hardware_of(row: Reader) -> Hardware | None:
    """Return the hardware of the row; None if it states none."""
    hardware = Hardware(
        gpu=row.text("gpu", ""),
        gpus=row.whole("gpus", 0),
        gpu_gib=row.number("gpu_gib") if row.has("gpu_gib") else None,
        vcpus=row.whole("vcpus", at_least=1) if row.has("vcpus") else None,
        memory_gib=row.number("memory_gib") if row.has("memory_gib") else None,
    )
    return None if hardware == Hardware() else hardware


def _prices(row: Reader, head: _Head) -> tuple[Price, ...]:
    name, region = row.text("name"), row.text("region", head.region)
    as_of = date_at(row, "as_of", head.as_of.isoformat())
    amounts = {term: row.number(term) for term in Term if row.has(term)}
    if not amounts:
        raise row.fault(Term.ON_DEMAND, f"is missing; a row needs an amount for one of {', '.join(Term)}.")
    converted = {term: _usd(row, term, amount, head, as_of) for term, amount in amounts.items()}
    tiers = row.items("tiers", _tier)
    if tiers and (len(amounts) > 1 or head.currency != USD):
        raise row.fault("tiers", "need a row with one amount, in USD.")
    shared = Price(
        sku="/".join(part for part in (head.provider, region, name) if part),
        provider=head.provider,
        region=region,
        usd=Decimal(0),
        unit=row.choice("unit", PriceUnit, head.unit),
        as_of=as_of,
        source=row.text("source", head.source),
        kind=row.choice("sort", PriceKind, head.kind),
        meter=row.choice("meter", Meter, Meter.WHOLE),
        hardware=hardware_of(row),
        tiers=tiers,
        tier_rule=row.choice("tier_rule", TierRule, TierRule.MARGINAL),
        note=row.text("note", ""),
    )
    return tuple(
        dataclasses.replace(shared, term=term, usd=usd, conversion=conversion)
        for term, (usd, conversion) in converted.items()
    )


def _usd(row: Reader, term: Term, amount: Decimal, head: _Head, as_of: date) -> tuple[Decimal, Conversion | None]:
    if amount < 0:
        raise row.fault(term, "must be 0 or more.")
    if head.currency == USD:
        return amount, None
    if head.fx is None:
        raise Invalid(f"The sheet is in {head.currency}; add a dated exchange rate to USD.", field="currency")
    conversion = head.fx.conversion(amount, head.currency, on=as_of)
    return conversion.listed * conversion.usd_per_unit, conversion


def _tier(reader: Reader) -> PriceTier:
    return PriceTier(reader.number("above"), reader.number("amount"))


def _check_unique(prices: tuple[Price, ...]) -> None:
    seen = set()
    for price in prices:
        if price.key in seen:
            raise Invalid(f"{price.sku} has two prices for {price.term}, {price.meter} in one sheet.", field="prices")
        seen.add(price.key)
