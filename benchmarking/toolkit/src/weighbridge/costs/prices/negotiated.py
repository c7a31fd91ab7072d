"""Negotiated rates: the contract prices of an organization. They replace list prices, which are kept with them.

```yaml
apiVersion: weighbridge/v1
kind: NegotiatedRates
organization: example
rates:
  - {sku: aws/*/g5.*, discount: 0.22, from: 2026-01-01, until: 2026-12-31, source: agreement 12}
  - {sku: openai/gpt-4o-mini, meter: input, usd: 0.12, from: 2026-06-01, source: order form 7}
```

`sku` may hold `*` and `?`. The first rate of the list that fits counts, so write the exceptions first. A rate holds on
demand unless it names a `term`; a discount holds for all meters unless it names one. Days count from `from` up to and
including `until`.
"""

import dataclasses
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from weighbridge.core.documents import Reader
from weighbridge.costs.prices.files.exact_yaml import date_at, reader_of
from weighbridge.costs.prices.price import Meter, Price, PriceOrigin, Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContractRate:
    """One line of a contract: an amount (`usd`) or a share off the list price (`discount`)."""

    sku: str
    source: str
    valid_from: date
    valid_until: date | None = None
    term: Term = Term.ON_DEMAND
    meter: Meter | None = None
    usd: Decimal | None = None
    discount: Decimal | None = None

    def fits(self, price: Price, *, on: date) -> bool:
        """Whether the contract covers this price on that day."""
        is_in_force = self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)
        is_meant = self.term is price.term and self.meter in (None, price.meter)
        return is_in_force and is_meant and fnmatchcase(price.sku, self.sku)

    def of(self, price: Price, *, on: date) -> Price:
        """Return the contract price with the list price: an amount of today, or a discount as old as the list price."""
        is_amount = self.usd is not None
        return dataclasses.replace(
            price,
            usd=self.usd if self.usd is not None else price.usd * self._share,
            tiers=() if is_amount else tuple(dataclasses.replace(t, usd=t.usd * self._share) for t in price.tiers),
            low_usd=None,
            high_usd=None,
            origin=PriceOrigin.NEGOTIATED,
            as_of=on if is_amount else price.as_of,
            source=self.source,
            list_price=price,
            conversion=None,
        )

    @property
    def _share(self) -> Decimal:
        return 1 - (self.discount or Decimal(0))


def negotiated(rates: Iterable[ContractRate], price: Price, *, on: date) -> Price:
    """Return the price under the first matching rate, else the price itself."""
    rate = next((each for each in rates if each.fits(price, on=on)), None)
    return price if rate is None else rate.of(price, on=on)


def read_rates(document: object) -> tuple[ContractRate, ...]:
    """Read negotiated rates; raise Invalid with the path of the invalid key."""
    reader = reader_of(document, "NegotiatedRates")
    reader.text("organization")
    rates = reader.items("rates", _rate)
    reader.close()
    return rates


def _rate(row: Reader) -> ContractRate:
    valid_from = date_at(row, "from")
    valid_until = date_at(row, "until") if row.has("until") else None
    if valid_until is not None and valid_until < valid_from:
        raise row.fault("until", "must not be before from.")
    if row.has("usd") == row.has("discount"):
        raise row.fault("usd", "or discount is required, but not both.")
    usd = row.number("usd") if row.has("usd") else None
    if usd is not None and usd < 0:
        raise row.fault("usd", "must be 0 or more.")
    discount = row.number("discount") if row.has("discount") else None
    if discount is not None and not 0 < discount < 1:
        raise row.fault("discount", "must be a share above 0 and below 1: 0.22 is 22 %.")
    usual = Meter.WHOLE if usd is not None else None
    return ContractRate(
        sku=row.text("sku"),
        source=row.text("source"),
        valid_from=valid_from,
        valid_until=valid_until,
        term=row.choice("term", Term, Term.ON_DEMAND),
        meter=row.choice("meter", Meter) if row.has("meter") else usual,
        usd=usd,
        discount=discount,
    )
