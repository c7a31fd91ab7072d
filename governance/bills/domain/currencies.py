"""Amounts in several currencies: converted with a dated rate of the period they were billed in, or kept apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from weighbridge.core.errors import Invalid

USD = "USD"
STALE_AFTER = timedelta(days=35)
RATE_BELOW = Decimal(10) ** 6


@dataclass(frozen=True)
class CurrencyRate:
    """What one unit of a currency was worth in US dollars on a day, and who says so."""

    currency: str
    on: date
    usd: Decimal
    source: str


@dataclass(frozen=True)
class Amount:
    """An amount of a currency that was billed for a period; `on` is the period's last day."""

    currency: str
    on: date
    value: Decimal


@dataclass(frozen=True)
class Converted:
    """US dollars, what could not be converted by currency, and the rates that were used."""

    usd: Decimal
    apart: dict[str, Decimal]
    rates: tuple[CurrencyRate, ...]


def check_rate(rate: CurrencyRate) -> None:
    """Raise Invalid unless the rate is one of a known spelling, not of the dollar, above zero, and has a source."""
    if len(rate.currency) != len(USD) or not (
        rate.currency.isascii() and rate.currency.isalpha() and rate.currency.isupper()
    ):
        raise Invalid("A currency is written with three capital letters, like EUR.", field="currency")
    if rate.currency == USD:
        raise Invalid("US dollars need no rate.", field="currency")
    if not rate.usd.is_finite() or not 0 < rate.usd < RATE_BELOW:
        raise Invalid(f"The rate is dollars for one unit: more than 0 and less than {RATE_BELOW:,}.", field="usd")
    if not rate.source.strip():
        raise Invalid("Say where the rate is from, for example the central bank's reference rate.", field="source")


def rate_for(rates: Sequence[CurrencyRate], *, currency: str, on: date) -> CurrencyRate | None:
    """The latest rate of a currency on or before a day and no older than 35 days, or None; of one day, the
    last given.
    """
    usable = [rate for rate in rates if rate.currency == currency and on - STALE_AFTER <= rate.on <= on]
    return max(enumerate(usable), key=lambda found: (found[1].on, found[0]))[1] if usable else None


def convert(amounts: Iterable[Amount], rates: Sequence[CurrencyRate]) -> Converted:
    """The sum in US dollars, unrounded, and apart from it what has no rate of its time."""
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
