"""Currencies: dated rates to the US dollar, and the refusal to add amounts of two currencies.

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

from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import Conversion

CODE = re.compile(r"[A-Z]{3}")
# A rate further from the day of the amount than this says little about that day.
RATE_DAYS = 31


@dataclasses.dataclass(frozen=True)
class FxRate:
    """US dollars for one unit of a currency on a day, and who said so."""

    currency: str
    usd_per_unit: Decimal
    as_of: date
    source: str


@dataclasses.dataclass(frozen=True)
class FxTable:
    """Rates of several days and currencies."""

    rates: tuple[FxRate, ...]

    def conversion(self, amount: Decimal, currency: str, *, on: date) -> Conversion:
        """The amount with the newest rate of `on` or of up to 31 days before; Invalid where there is none."""
        fitting = [
            rate for rate in self.rates if rate.currency == currency and 0 <= (on - rate.as_of).days <= RATE_DAYS
        ]
        if not fitting:
            text = (
                f"There is no rate from {currency} to USD of {on} or the {RATE_DAYS} days before it; add one to the "
                "table."
            )
            raise Invalid(text, field="currency", code="no_rate")
        rate = max(fitting, key=lambda each: each.as_of)
        return Conversion(currency, amount, rate.usd_per_unit, rate.as_of, rate.source)


def one_currency(currencies: Iterable[str]) -> str:
    """The currency that all amounts of one computation have; Invalid where they have several or none."""
    found = sorted(set(currencies))
    if len(found) != 1:
        text = f"One computation has one currency, not {', '.join(found) or 'none'}; convert with a dated rate first."
        raise Invalid(text, field="currency", code="mixed_currency")
    return found[0]


def read_fx(document: object) -> FxTable:
    """The table of a parsed document; Invalid with the path of the key at fault."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", "FxTable")
    rates = reader.items("rates", _rate)
    reader.close()
    return FxTable(rates)


def _rate(reader: Reader) -> FxRate:
    currency, rate = reader.text("currency"), reader.number("usd_per_unit")
    if not CODE.fullmatch(currency):
        raise reader.fault("currency", "must be a code of three letters, like EUR.")
    if rate <= 0:
        raise reader.fault("usd_per_unit", "must be above 0.")
    try:
        as_of = date.fromisoformat(reader.text("as_of"))
    except ValueError as error:
        raise reader.fault("as_of", "must be a day written like 2026-09-01.") from error
    return FxRate(currency, rate, as_of, reader.text("source"))
