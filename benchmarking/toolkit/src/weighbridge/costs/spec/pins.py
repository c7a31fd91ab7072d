"""Pins: all prices that a projection used, with amount, date, source and price book, by the path of their use.

A spec file names a price in one of two ways:

- by SKU from the price book: `{sku: aws/us-east-1/g5.xlarge, term: on_demand}`; the meter of a model follows from the
  key, and `prices: {sku: openai/gpt-4o-mini}` takes all prices of a model;
- with all data needed to check it: `{usd: 1.006, unit: instance_h, as_of: 2026-07-20, source: …}`.

Both may add `factor` (a number or a range: a negotiated discount, a premium) and `divided_by` (one GPU of eight).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.charges import Rate
from weighbridge.costs.parts.traffic import TrafficTier
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.prices.book import STALE_DAYS, PriceBook
from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.price import Meter, Price, PriceUnit, Term, TierRule
from weighbridge.costs.spec.model_prices import in_floats, model_prices
from weighbridge.costs.spec.reading import Given, amount, placed
from weighbridge.costs.uncertainty import Range

WAYS = "a SKU of the price book ({sku: aws/us-east-1/g5.xlarge}) or usd, unit, as_of and source together"
TRAFFIC = "traffic in the price book ({sku: aws/us-east-1/egress-internet}), or give a list of tiers"
CURRENCY = "USD"
# The meter of a model's SKU for each key.
METERS = {**{each.price: each.meter for each in COMPONENTS}, "reembed_usd": Meter.INPUT}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pin:
    """A price used at `path`: `usd` for one `unit` (between `low_usd` and `high_usd` if it has a range).

    Each tier of a tiered price is pinned separately; it applies to the units `above` a number. A managed model that its
    vendor retires has the last day (`migrate_by`) and the `successor`, if they are known.
    """

    path: str
    usd: Decimal
    unit: str
    as_of: date
    source: str
    sku: str = ""
    term: str = ""
    meter: str = ""
    snapshot: str = ""
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None
    factor: float | Range = 1.0
    divided_by: float = 1.0
    origin: str = ""
    migrate_by: date | None = None
    successor: str = ""
    note: str = ""
    above: Decimal | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the pin in plain values, amounts as exact text, without missing values."""
        factor = [self.factor.low, self.factor.high] if isinstance(self.factor, Range) else self.factor
        found = {**dataclasses.asdict(self), "factor": factor}
        unsaid = {field.name: field.default for field in dataclasses.fields(self)}
        return {
            name: value if isinstance(value, int | float | str | list) else str(value)
            for name, value in found.items()
            if value != unsaid[name]
        }


class Pins:
    """Reads and remembers the prices of one spec; refuses prices older than `max_age_days` on the day of the book."""

    def __init__(self, book: PriceBook, *, max_age_days: int = STALE_DAYS) -> None:
        self.book = book
        self.max_age_days = max_age_days
        self.found: list[Pin] = []
        self.used: list[Price] = []

    def read(self, reader: Reader, key: str, wanted: str) -> float | Range | Rate:
        """Return the price under `key` in US dollars per `wanted` unit; raise Invalid with the path of a fault.

        The price of a component of a model may have tiers by the input tokens of a request.
        """
        if not isinstance(reader.plain(key), dict):
            raise reader.fault(key, f"must be {WAYS}; a plain number has no date and no source.")
        price = reader.mapping(key)
        if not price.asks("sku"):
            pin = self._of_source(price, wanted)
            price.close()
            self.found.append(pin)
            return _scaled(pin)
        found = self._find(price, METERS.get(key, Meter.WHOLE))
        share, factor = _share_of(found, price, wanted), _factor(price)
        price.close()
        pin = self.pin(price.path, found, factor=factor, divided_by=share)
        if key not in METERS or not (found.tiers or found.least):
            return _scaled(pin)
        if isinstance(factor, Range):
            raise price.fault(
                "factor", f"must be one number for a price with tiers; or give prices: {{sku: {found.sku}}}."
            )
        return in_floats(price, found, factor / share)

    def model(self, reader: Reader, key: str, given: Given) -> ModelPrices:
        """Return the prices of a managed model under `key`; raise Invalid with the path of a fault."""
        return model_prices(self, reader, key, given)

    def tiers(self, reader: Reader, key: str) -> tuple[TrafficTier, ...]:
        """Return the tiers of the traffic SKU under `key`, times `factor`; raise Invalid with the path of a fault."""
        price = reader.mapping(key)
        if not price.has("sku"):
            raise price.fault("sku", f"is missing: give {TRAFFIC}.")
        found = self._find(price, Meter.WHOLE)
        if found.unit is not PriceUnit.GB or found.tier_rule is not TierRule.MARGINAL:
            raise price.fault("sku", f"is not a traffic price; give {TRAFFIC}.")
        factor = float(price.number("factor")) if price.asks("factor") else 1.0
        price.close()
        steps = (found.usd, *(tier.usd for tier in found.tiers))
        self._pin_steps([f"{price.path}[{n}]" for n in range(len(steps))], found, factor=factor)
        ends = [*(float(tier.above) for tier in found.tiers), None]
        return tuple(
            TrafficTier(usd_per_gb=float(usd) * factor, up_to_gb=end) for usd, end in zip(steps, ends, strict=True)
        )

    def find(self, price: Reader, sku: str, *, term: Term, meter: Meter) -> Price:
        """Return a price of the book; raise Invalid with the path of a fault."""
        try:
            return self.book.find(sku, term=term, meter=meter, stale_days=self.max_age_days)
        except Invalid as refused:
            raise placed(refused, price, refused.field or "sku") from refused

    def pin(self, path: str, found: Price, *, factor: float | Range = 1.0, divided_by: float = 1.0) -> Pin:
        """Pin a price of the book, each of its tiers separately; return the first pin."""
        paths = [path, *(f"{path}[{n}]" for n in range(1, len(found.tiers) + 1))]
        return self._pin_steps(paths, found, factor=factor, divided_by=divided_by)

    def _pin_steps(self, paths: Sequence[str], found: Price, **scale: Any) -> Pin:
        steps = [(None, found.usd), *((tier.above, tier.usd) for tier in found.tiers)]
        pins = [
            dataclasses.replace(_pinned(path, found, self.book), usd=usd, above=above, **scale)
            for path, (above, usd) in zip(paths, steps, strict=True)
        ]
        self.found += pins
        self.used.append(found)
        return pins[0]

    def _find(self, price: Reader, usual: Meter) -> Price:
        term, meter = price.choice("term", Term, Term.ON_DEMAND), price.choice("meter", Meter, usual)
        return self.find(price, price.text("sku"), term=term, meter=meter)

    def _of_source(self, price: Reader, wanted: str) -> Pin:
        if not price.has("usd"):
            raise price.fault("usd", f"is missing: give {WAYS}. Convert other currencies at a dated rate first.")
        if price.asks("currency") and price.text("currency") != CURRENCY:
            raise price.fault(
                "currency", f"must be {CURRENCY}: a projection has one currency; convert at a dated rate."
            )
        usd, unit, as_of = amount(price, "usd", at_least=0), price.text("unit"), price.day("as_of")
        if unit != wanted:
            raise price.fault("unit", f"must be {wanted}, not {unit}.")
        age = (self.book.as_of - as_of).days
        if age > self.max_age_days:
            text = f"is {age} days before {self.book.as_of}; at most {self.max_age_days} are accepted"
            raise price.fault("as_of", f"{text} (max_price_age_days).")
        middle = Decimal(str(usd.median if isinstance(usd, Range) else usd))
        low, high = (Decimal(str(usd.low)), Decimal(str(usd.high))) if isinstance(usd, Range) else (None, None)
        return Pin(
            path=price.path,
            usd=middle,
            low_usd=low,
            high_usd=high,
            unit=unit,
            as_of=as_of,
            source=price.text("source"),
            factor=_factor(price),
            divided_by=_divisor(price),
        )


class PlainPrices(Pins):
    """Prices by SKU or by source, as in a spec file, and plain numbers."""

    def read(self, reader: Reader, key: str, wanted: str) -> float | Range | Rate:
        """Return the price under `key`."""
        if isinstance(reader.plain(key), Mapping):
            return super().read(reader, key, wanted)
        return amount(reader, key, at_least=0)


def _pinned(path: str, found: Price, book: PriceBook) -> Pin:
    return Pin(
        path=path,
        sku=found.sku,
        term=found.term.value,
        meter=found.meter.value,
        usd=found.usd,
        low_usd=found.low_usd,
        high_usd=found.high_usd,
        unit=found.unit.value,
        as_of=found.as_of,
        source=found.source,
        snapshot=book.snapshot_id,
        origin=found.origin.value,
        migrate_by=found.retirement.on if found.retirement is not None else None,
        successor=found.retirement.successor if found.retirement is not None else "",
        note=found.note,
    )


def _share_of(found: Price, price: Reader, wanted: str) -> float:
    """Return the divisor of the price: the number of GPUs if the price of one GPU is needed, else 1."""
    divisor = _divisor(price)
    if found.unit.value == wanted:
        return divisor
    if wanted == PriceUnit.GPU_H.value and found.unit is PriceUnit.INSTANCE_H:
        if price.has("divided_by"):
            return divisor
        if found.usd_per_gpu_h is not None and found.hardware is not None:
            return float(found.hardware.gpus)
        raise price.fault("divided_by", f"is missing: {found.sku} has only a fraction of a GPU; give the divisor.")
    raise price.fault("sku", f"is priced per {found.unit.value}, but must be per {wanted}.")


def _divisor(price: Reader) -> float:
    if not price.asks("divided_by"):
        return 1.0
    divisor = float(price.number("divided_by"))
    if divisor <= 0:
        raise price.fault("divided_by", "must be above zero.")
    return divisor


def _factor(price: Reader) -> float | Range:
    return amount(price, "factor", at_least=0) if price.asks("factor") else 1.0


def _scaled(pin: Pin) -> float | Range:
    """Return the pinned price times its factor: a range if either is one."""
    factor = pin.factor if isinstance(pin.factor, Range) else Range(pin.factor, pin.factor) if pin.factor else None
    if factor is None or not pin.usd:
        return 0.0
    low = float(pin.usd if pin.low_usd is None else pin.low_usd) * factor.low / pin.divided_by
    high = float(pin.usd if pin.high_usd is None else pin.high_usd) * factor.high / pin.divided_by
    return Range(low, high) if low < high else high
