"""Rows in FOCUS columns, made of the records of an export, so that one reader checks and aggregates everything."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException

from governance.budgets.domain.quarters import next_month

FocusRow = Mapping[str, str]
COLUMNS = (
    "ProviderName",
    "BillingAccountId",
    "SubAccountId",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "BilledCost",
    "EffectiveCost",
    "ServiceName",
    "ServiceCategory",
    "SkuMeter",
    "SkuPriceDetails",
    "ContractedUnitPrice",
    "ConsumedQuantity",
    "ConsumedUnit",
    "PricingQuantity",
    "PricingUnit",
    "x_ModelRequests",
)
_DAY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}", re.ASCII)
_UNIX = re.compile(r"[0-9]{9,10}", re.ASCII)


def focus_row(*, provider: str, account: str, time: str, cost: str = "0", **columns: str) -> dict[str, str]:
    """A row of usage in FOCUS columns. `time` is a time in text, or in seconds since 1970; `cost` in US dollars.

    The billing period is the month of the time. What cannot be understood stays as it is, so that a check refuses it.
    """
    start = _time(time)
    return {
        **dict.fromkeys(COLUMNS, ""),
        "ProviderName": provider,
        "BillingAccountId": account,
        "BillingCurrency": "USD",
        **_period(start),
        "ChargePeriodStart": start,
        "ChargeCategory": "Usage",
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ServiceName": provider,
        "ServiceCategory": "AI and Machine Learning",
        **columns,
    }


def token_columns(*, model: str, direction: str, action: str, tokens: str, snapshot: str = "") -> dict[str, str]:
    """The columns that name a kind of tokens and their number."""
    properties = {"ModelId": model, "TokenDirection": direction, "TokenCacheAction": action}
    properties |= {"ModelVersion": snapshot} if snapshot else {}
    return {"SkuPriceDetails": json.dumps(properties), "ConsumedQuantity": tokens, "ConsumedUnit": "Tokens"}


def number(text: str) -> Decimal | None:
    """The text as a finite number; None if it is none. Empty text is zero."""
    try:
        value = Decimal(text or "0")
    except DecimalException:
        return None
    return value if value.is_finite() else None


def less(total: str, *parts: str) -> str:
    """The total less its parts as text; the total itself if one of them is no number, so that a check refuses it."""
    values = [number(text) for text in (total, *parts)]
    if None in values:
        return next(text for text in (total, *parts) if number(text) is None)
    first, *rest = (value or Decimal(0) for value in values)
    return format(first - sum(rest, Decimal(0)), "f")


def _time(text: str) -> str:
    if not _UNIX.fullmatch(text):
        return text
    return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _period(start: str) -> dict[str, str]:
    day = _DAY.match(start)
    if day is None:
        return {"BillingPeriodStart": start, "BillingPeriodEnd": start}
    month = date(int(start[:4]), int(start[5:7]), 1)
    return {"BillingPeriodStart": f"{month}T00:00:00Z", "BillingPeriodEnd": f"{next_month(month)}T00:00:00Z"}
