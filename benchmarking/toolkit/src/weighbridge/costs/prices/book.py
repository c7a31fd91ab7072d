"""The price book: prices from several sources on one day, with disagreements and outdated prices."""

import dataclasses
import difflib
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.commitment_discounts import Discount
from weighbridge.costs.prices.negotiated import ContractRate, negotiated
from weighbridge.costs.prices.price import Key, Meter, Price, PriceKind, Retirement, Term, amount_text, as_plain

SCHEMA = "weighbridge.prices/1"
# Prices that differ by more than this disagree; smaller differences are rounding.
TOLERANCE = Decimal("0.01")
STALE_DAYS = 180
NOTHING_RETIRES: Mapping[str, Retirement] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Disagreement:
    """Prices for the same thing from sources that disagree, cheapest first.

    `spread` is (highest - cheapest) / cheapest; None if the cheapest is free or the units differ.
    """

    prices: tuple[Price, ...]
    spread: Decimal | None

    @property
    def key(self) -> Key:
        """The key of the disputed price."""
        return self.prices[0].key

    def as_document(self) -> dict[str, Any]:
        """Return the prices with their sources, and the spread."""
        spread = None if self.spread is None else amount_text(self.spread.quantize(Decimal("0.0001")))
        return {"spread": spread, "prices": [price.as_document() for price in self.prices]}


@dataclasses.dataclass(frozen=True)
class Offer:
    """One price to calculate with, and the prices of other sources."""

    price: Price
    others: tuple[Price, ...]

    def as_document(self) -> dict[str, Any]:
        """Return the price, its hourly price per GPU, and the prices of other sources."""
        per_gpu = self.price.usd_per_gpu_h
        return {
            "price": self.price.as_document(),
            "usd_per_gpu_h": None if per_gpu is None else amount_text(per_gpu),
            "others": [other.as_document() for other in self.others],
        }


@dataclasses.dataclass(frozen=True)
class PriceBook:
    """Prices as known on the day `as_of`.

    Of several prices for the same thing, the newest is used; of equally new ones, the first listed. The others stay in
    the book, and `disagreements` shows them.
    """

    prices: tuple[Price, ...] = dataclasses.field(repr=False)
    as_of: date
    discounts: tuple[Discount, ...] = dataclasses.field(default=(), repr=False)
    retirements: Mapping[str, Retirement] = dataclasses.field(default_factory=dict, repr=False)
    rates: tuple[ContractRate, ...] = dataclasses.field(default=(), repr=False)

    @functools.cached_property
    def skus(self) -> tuple[str, ...]:
        """All SKUs of the book, in alphabetical order."""
        return tuple(sorted({price.sku for price in self.prices}))

    @functools.cached_property
    def snapshot_id(self) -> str:
        """SHA-256 of the content of the book: the same prices in any order give the same ID."""
        rows = sorted((price.as_document() for price in self.prices), key=lambda row: (row["sku"], str(row)))
        content = {
            "schema": SCHEMA,
            "prices": rows,
            "discounts": _rows(self.discounts),
            "rates": _rows(self.rates),
            "retirements": {sku: as_plain(each) for sku, each in self.retirements.items()},
        }
        return digest_of(content)

    def find(
        self, sku: str, *, term: Term = Term.ON_DEMAND, meter: Meter = Meter.WHOLE, stale_days: int | None = None
    ) -> Price:
        """Return the price to calculate with.

        A commitment without a listed price is derived from the on-demand price and the published discount, with a
        range. A negotiated rate in force on the day of the book replaces the list price, which is kept with it.

        Raises Invalid, with the accepted values, for an unknown SKU (`sku`, nearest names), for a term or meter without
        a price, and with `stale_days` for a price older than that on the day of the book (`as_of`).
        """
        price = self._newest(sku, term, meter) or self._derived(sku, term, meter)
        if price is None:
            raise self._unknown(sku, term, meter)
        price = self.by_contract(price)
        if stale_days is not None:
            self._check_fresh(price, stale_days)
        retirement = self.retirements.get(sku)
        return dataclasses.replace(price, retirement=retirement) if retirement is not None else price

    def by_contract(self, price: Price) -> Price:
        """Return the price under the first negotiated rate in force that covers it, else the price itself."""
        return negotiated(self.rates, price, on=self.as_of)

    def opinions(self, sku: str, *, term: Term = Term.ON_DEMAND, meter: Meter = Meter.WHOLE) -> tuple[Price, ...]:
        """Return the prices of all sources for one thing; the first is the one to calculate with."""
        return self._by_key.get((sku, term, meter), ())

    def with_sku(self, sku: str) -> tuple[Price, ...]:
        """Return all prices of a SKU: all sources, terms and meters."""
        return tuple(price for price in self.prices if price.sku == sku)

    def offers(self, sku: str, *, stale_days: int | None = None) -> tuple[Offer, ...]:
        """Return all terms and meters of a SKU with a price, in the order of the terms; raise Invalid as `find`."""
        known = self.with_sku(sku)
        if not known:
            self.find(sku)  # raises with the nearest names
        meters = {price.meter for price in known}
        wanted = [(term, meter) for term in Term for meter in Meter if meter in meters]
        found = (self._offer(sku, term, meter, stale_days) for term, meter in wanted)
        return tuple(offer for offer in found if offer is not None)

    def disagreements(self, *, tolerance: Decimal = TOLERANCE) -> tuple[Disagreement, ...]:
        """Return disagreements larger than `tolerance` (0.01: one percent of the cheapest), largest first."""
        found = (_disagreement(prices, tolerance) for prices in self._by_key.values() if len(prices) > 1)
        apart = (each for each in found if each is not None)
        return tuple(sorted(apart, key=lambda each: (each.spread is not None, -(each.spread or 0), each.key)))

    def _check_fresh(self, price: Price, stale_days: int) -> None:
        age = price.age_days(self.as_of)
        if age > stale_days:
            text = (
                f"The price of {price.sku} is from {price.as_of}, {age} days before {self.as_of}; at most {stale_days} "
                "are accepted. Import a newer price list, or accept older prices in a cost spec (max_price_age_days)."
            )
            raise Invalid(text, field="as_of", code="stale_price")

    def with_prices(
        self, prices: Iterable[Price], retirements: Mapping[str, Retirement] = NOTHING_RETIRES
    ) -> "PriceBook":
        """Return the book with more prices after its own; of two retirement days, the earlier counts."""
        merged = dict(self.retirements)
        for sku, found in retirements.items():
            known = merged.setdefault(sku, found)
            merged[sku] = found if found.on < known.on else known
        return dataclasses.replace(self, prices=(*self.prices, *prices), retirements=merged)

    @functools.cached_property
    def _by_key(self) -> Mapping[Key, tuple[Price, ...]]:
        found: dict[Key, list[Price]] = defaultdict(list)
        for price in self.prices:
            found[price.key].append(price)
        return {key: tuple(sorted(prices, key=lambda price: -price.as_of.toordinal())) for key, prices in found.items()}

    def _newest(self, sku: str, term: Term, meter: Meter) -> Price | None:
        return next(iter(self.opinions(sku, term=term, meter=meter)), None)

    def _offer(self, sku: str, term: Term, meter: Meter, stale_days: int | None) -> Offer | None:
        try:
            price = self.find(sku, term=term, meter=meter, stale_days=stale_days)
        except Invalid as refused:
            if refused.code != "unknown_term":
                raise
            return None
        return Offer(price, self.opinions(sku, term=term, meter=meter)[1:])

    def _derived(self, sku: str, term: Term, meter: Meter) -> Price | None:
        listed = self._newest(sku, Term.ON_DEMAND, meter)
        if listed is None or listed.kind is not PriceKind.INSTANCE:
            return None
        fitting = (each for each in self.discounts if (each.provider, each.term) == (listed.provider, term))
        discount = next(fitting, None)
        return None if discount is None else discount.of(listed)

    def _unknown(self, sku: str, term: Term, meter: Meter) -> Invalid:
        known = self.with_sku(sku)
        if not known:
            near = difflib.get_close_matches(sku, self.skus, n=3, cutoff=0.5)
            hint = f" Nearest: {', '.join(near)}." if near else f" SKUs look like {self.skus[0] if self.skus else ''}."
            return Invalid(f"The price book has no {sku!r}.{hint}", field="sku", code="unknown_sku")
        meters = sorted({price.meter for price in known})
        if meter not in meters:
            text = f"{sku} has no price for the meter {meter}; it has prices for {', '.join(meters)}."
            return Invalid(text, field="meter", code="unknown_meter")
        terms = sorted({price.term for price in known if price.meter == meter})
        derived = sorted(each for each in Term if each not in terms and self._derived(sku, each, meter) is not None)
        text = f"{sku} has no price for the term {term}; it has {', '.join([*terms, *derived])}."
        return Invalid(text, field="term", code="unknown_term")


def _disagreement(prices: Sequence[Price], tolerance: Decimal) -> Disagreement | None:
    ordered = tuple(sorted(prices, key=lambda price: price.usd))
    cheapest, most_expensive = ordered[0].usd, ordered[-1].usd
    if len({price.unit for price in prices}) > 1:
        return Disagreement(ordered, None)
    if cheapest == most_expensive:
        return None
    spread = (most_expensive - cheapest) / cheapest if cheapest else None
    return Disagreement(ordered, spread) if spread is None or spread > tolerance else None


def _rows(others: Iterable[Discount | ContractRate]) -> list[dict[str, Any]]:
    return sorted((as_plain(each) for each in others), key=str)
