"""What a policy watches after an approval: how far a bill, a fresh run or a price may stray, and what is reviewed again
for it.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.documents import Reader
from weighbridge.core.metrics import number_words

HUNDRED = Decimal(100)


class BreachKind(StrEnum):
    """What can go wrong with an approval: money, time, quality, or the prices it was projected at."""

    COST = "cost"
    LATENCY = "latency"
    QUALITY = "quality"
    PRICES = "prices"


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """The section `monitoring` of a policy; the defaults hold for a policy without it.

    A bill may exceed the P90, or the middle by `cost_tolerance_percent` where that is more. 12 % is what the FinOps
    maturity model asks of forecasts. Old prices ask for a projection, which need not be a review: they open none by
    default.
    """

    cost_tolerance_percent: Decimal = Decimal(12)
    drift_percent: Decimal = Decimal(10)
    prices_valid_days: int = 180
    re_review_on: tuple[BreachKind, ...] = (BreachKind.COST, BreachKind.LATENCY, BreachKind.QUALITY)

    @property
    def cost_tolerance(self) -> Decimal:
        """The tolerance of bills as a share."""
        return self.cost_tolerance_percent / HUNDRED

    @property
    def drift(self) -> Decimal:
        """By which share a metric value must be worse than approved to be a breach."""
        return self.drift_percent / HUNDRED

    @property
    def fields(self) -> dict[str, str]:
        """What the section says, as a difference between two policies shows it."""
        return {
            "cost_tolerance_percent": number_words(self.cost_tolerance_percent),
            "drift_percent": number_words(self.drift_percent),
            "prices_valid_days": str(self.prices_valid_days),
            "re_review_on": ", ".join(sorted(self.re_review_on)),
        }


def read_monitoring(reader: Reader) -> Monitoring:
    """The mapping `monitoring`; what it does not name is as by default. Raises Invalid for a limit that
    cannot be one.
    """
    default = Monitoring()
    found = Monitoring(
        cost_tolerance_percent=_percent(reader, "cost_tolerance_percent", default.cost_tolerance_percent),
        drift_percent=_percent(reader, "drift_percent", default.drift_percent),
        prices_valid_days=reader.whole("prices_valid_days", default.prices_valid_days, at_least=1),
        re_review_on=_breaches(reader, default.re_review_on),
    )
    reader.close()
    return found


def _percent(reader: Reader, key: str, default: Decimal) -> Decimal:
    value = reader.number(key) if reader.asks(key) else default
    if not 0 <= value <= HUNDRED:
        raise reader.fault(key, "is a percentage from 0 to 100.")
    return value


def _breaches(reader: Reader, default: tuple[BreachKind, ...]) -> tuple[BreachKind, ...]:
    """An empty list is meant: nothing is reviewed again by itself."""
    names = reader.words("re_review_on")
    if not reader.has("re_review_on"):
        return default
    if not set(names) <= set(BreachKind):
        raise reader.fault("re_review_on", f"may list only {', '.join(BreachKind)}; an empty list opens no re-review.")
    return tuple(BreachKind(name) for name in names)
