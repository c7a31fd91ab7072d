"""The monitoring section of a policy: the limits after an approval, and the breaches that open a re-review."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.documents import Reader
from weighbridge.core.metrics.values import number_text

HUNDRED = Decimal(100)
DAYS_MAX = 3_650
"""Ten years: no deadline, authorization or price list is planned for longer."""


class BreachKind(StrEnum):
    """The kinds of breaches after an approval: cost, latency, quality, prices, and retirements nobody announced."""

    COST = "cost"
    LATENCY = "latency"
    QUALITY = "quality"
    PRICE_CHANGE = "price_change"
    RETIREMENT = "retirement"
    PRICES = "prices"


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """The section `monitoring` of a policy; the defaults apply to a policy without it.

    The limit for bills is the P90, or `cost_tolerance_percent` above the P50 if that is higher; 12 % is the limit of
    the FinOps maturity model for forecasts. Outdated prices need a new projection, but no review by default. A price of
    a managed model is compared with that of the day of the authorization. With `deny_above_limit`, the gate denies a
    model whose usage exceeds a limit of its authorization, until the end of the month.
    """

    cost_tolerance_percent: Decimal = Decimal(12)
    drift_percent: Decimal = Decimal(10)
    prices_valid_days: int = 180
    price_change_percent: Decimal = Decimal(10)
    deny_above_limit: bool = False
    re_review_on: tuple[BreachKind, ...] = (
        BreachKind.COST,
        BreachKind.LATENCY,
        BreachKind.QUALITY,
        BreachKind.PRICE_CHANGE,
        BreachKind.RETIREMENT,
    )

    @property
    def cost_tolerance(self) -> Decimal:
        """The tolerance of bills as a share."""
        return self.cost_tolerance_percent / HUNDRED

    @property
    def drift(self) -> Decimal:
        """The share by which a metric value must be worse than approved to be a breach."""
        return self.drift_percent / HUNDRED

    @property
    def price_change(self) -> Decimal:
        """The share by which a price of a managed model may change."""
        return self.price_change_percent / HUNDRED

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the section for policy differences."""
        return {
            "cost_tolerance_percent": number_text(self.cost_tolerance_percent),
            "drift_percent": number_text(self.drift_percent),
            "prices_valid_days": str(self.prices_valid_days),
            "price_change_percent": number_text(self.price_change_percent),
            "deny_above_limit": "yes" if self.deny_above_limit else "no",
            "re_review_on": ", ".join(sorted(self.re_review_on)),
        }


def read_monitoring(reader: Reader) -> Monitoring:
    """Read the mapping `monitoring`, with defaults for missing keys. Raises Invalid for an invalid limit."""
    default = Monitoring()
    monitoring = Monitoring(
        cost_tolerance_percent=_percent(reader, "cost_tolerance_percent", default.cost_tolerance_percent),
        drift_percent=_percent(reader, "drift_percent", default.drift_percent),
        prices_valid_days=reader.whole("prices_valid_days", default.prices_valid_days, at_least=1, at_most=DAYS_MAX),
        price_change_percent=_percent(reader, "price_change_percent", default.price_change_percent),
        deny_above_limit=reader.flag("deny_above_limit", default.deny_above_limit),
        re_review_on=_breaches(reader, default.re_review_on),
    )
    reader.close()
    return monitoring


def _percent(reader: Reader, key: str, default: Decimal) -> Decimal:
    value = reader.number(key) if reader.asks(key) else default
    if not 0 <= value <= HUNDRED:
        raise reader.fault(key, "must be a percentage from 0 to 100.")
    return value


def _breaches(reader: Reader, default: tuple[BreachKind, ...]) -> tuple[BreachKind, ...]:
    """An empty list is valid: then no breach opens a re-review."""
    names = reader.words("re_review_on")
    if not reader.has("re_review_on"):
        return default
    if not set(names) <= set(BreachKind):
        raise reader.fault("re_review_on", f"may list only {', '.join(BreachKind)}. An empty list opens no re-review.")
    return tuple(BreachKind(name) for name in names)
