"""Currencies: dated exchange rates to the US dollar. Amounts in two currencies cannot be added.

```yaml
apiVersion: weighbridge/v1
kind: FxTable
rates:
  - {currency: EUR, usd_per_unit: 1.0842, as_of: 2026-09-01, source: reference rate of the central bank}
```
"""

import dataclasses
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.files.exact_yaml import date_at, reader_of
from weighbridge.costs.prices.price import Conversion

CODE = re.compile(r"[A-Z]{3}")
# Older rates are not used for an amount.
RATE_DAYS = 31


@dataclasses.dataclass(frozen=True)
class FxRate:
    """US dollars for one unit of a currency on a day, with the source."""

    currency: str
    usd_per_unit: Decimal
    as_of: date
    source: str


@dataclasses.dataclass(frozen=True)
class FxTable:
    """Exchange rates of several days and currencies."""

    rates: tuple[FxRate, ...]

    def conversion(self, amount: Decimal, currency: str, *, on: date) -> Conversion:
        """Convert an amount with the newest rate up to 31 days before `on`; raise Invalid if there is none."""
        known = (rate for rate in self.rates if rate.currency == currency)
        fitting = [rate for rate in known if 0 <= (on - rate.as_of).days <= RATE_DAYS]
        if not fitting:
            text = f"There is no rate from {currency} to USD on {on} or in the {RATE_DAYS} days before"
            raise Invalid(f"{text}; add one to the table.", field="currency", code="no_rate")
        rate = max(fitting, key=lambda each: each.as_of)
        return Conversion(currency, amount, rate.usd_per_unit, rate.as_of, rate.source)


def one_currency(currencies: Iterable[str]) -> str:
    """Return the common currency of all amounts; raise Invalid for several currencies or none."""
    found = sorted(set(currencies))
    if len(found) != 1:
        text = f"All amounts must have one currency, not {', '.join(found) or 'none'}; convert with a dated rate first."
        raise Invalid(text, field="currency", code="mixed_currency")
    return found[0]


def read_fx(document: object) -> FxTable:
    """Read a table of exchange rates; raise Invalid with the path of the invalid key."""
    reader = reader_of(document, "FxTable")
    rates = reader.items("rates", _rate)
    reader.close()
    return FxTable(rates)


def _rate(reader: Reader) -> FxRate:
    currency, rate = reader.text("currency"), reader.number("usd_per_unit")
    if not CODE.fullmatch(currency):
        raise reader.fault("currency", "must be a three-letter code, like EUR.")
    if rate <= 0:
        raise reader.fault("usd_per_unit", "must be above 0.")
    return FxRate(currency, rate, date_at(reader, "as_of"), reader.text("source"))
