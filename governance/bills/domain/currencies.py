"""Converts amounts to US dollars with a dated rate of their period. Amounts without a rate are reported separately."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from governance.budgets.domain.quarters import last_day
from weighbridge.core.errors import Invalid

USD = "USD"
STALE_AFTER = timedelta(days=35)
RATE_BELOW = Decimal(10) ** 6


@dataclass(frozen=True)
class CurrencyRate:
    """The value of one unit of a currency in US dollars on one day, with its source."""

    currency: str
    on: date
    usd: Decimal
    source: str


@dataclass(frozen=True)
class Amount:
    """An amount in a currency for a period; `on` is the last day of the period."""

    currency: str
    on: date
    value: Decimal

    @classmethod
    def of_month(cls, currency: str, day: date, value: Decimal) -> Self:
        """An amount for the month of this day, which has the rate of the last day of that month."""
        return cls(currency, last_day(day), value)


@dataclass(frozen=True)
class Converted:
    """The US dollars, the amounts without a rate by currency, and the rates used."""

    usd: Decimal
    apart: dict[str, Decimal]
    rates: tuple[CurrencyRate, ...]


def check_rate(rate: CurrencyRate) -> None:
    """Raise Invalid unless the rate has a valid currency other than the US dollar, is above zero and has a source."""
    if len(rate.currency) != len(USD) or not (
        rate.currency.isascii() and rate.currency.isalpha() and rate.currency.isupper()
    ):
        raise Invalid("A currency has three capital letters, like EUR.", field="currency")
    if rate.currency == USD:
        raise Invalid("US dollars need no rate.", field="currency")
    if not rate.usd.is_finite() or not 0 < rate.usd < RATE_BELOW:
        raise Invalid(
            f"The rate is the number of dollars for one unit: more than 0 and less than {RATE_BELOW:,}.", field="usd"
        )
    if not rate.source.strip():
        raise Invalid("Give the source of the rate, for example the central bank's reference rate.", field="source")


def rate_for(rates: Sequence[CurrencyRate], *, currency: str, on: date) -> CurrencyRate | None:
    """The latest rate of a currency by a day, at most 35 days old, or None. Of several for one day, the last one."""
    usable = [rate for rate in rates if rate.currency == currency and on - STALE_AFTER <= rate.on <= on]
    return max(enumerate(usable), key=lambda found: (found[1].on, found[0]))[1] if usable else None


def convert(amounts: Iterable[Amount], rates: Sequence[CurrencyRate]) -> Converted:
    """The unrounded sum in US dollars, and separately the amounts without a rate."""
    usd, apart, used = Decimal(0), defaultdict[str, Decimal](Decimal), dict[CurrencyRate, None]()
    for amount in amounts:
        if amount.currency == USD:
            usd += amount.value
            continue
        rate = rate_for(rates, currency=amount.currency, on=amount.on)
        if rate is None:
            apart[amount.currency] += amount.value
        else:
            usd += amount.value * rate.usd
            used[rate] = None
    return Converted(usd, dict(apart), tuple(used))
