"""Split the difference between the projection and the bill of a month into volume, efficiency and price."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from governance.bills.domain.variance.split import MonthUsage, split
from reviews.evidence.domain.comparison import MONTHS, ComparedMonth

NO_PROJECTION = "a stated projection with its load"
NO_REPLICAS = "replica hours in the projection (the option has no replicas of its own)"
NO_REQUESTS = "the month's number of requests"
NO_HOURS = "server hours in the bill"


@dataclass(frozen=True)
class Load:
    """The projected load of a month: requests and replica hours (one server each); None if the projection has none."""

    requests: Decimal | None = None
    replica_hours: Decimal | None = None


def load_of(document: Mapping[str, Any], *, option: str) -> Load:
    """One twelfth of the yearly load of a projection, for one option."""
    requests = document.get("load", {}).get("requests_per_year")
    options = document.get("options", ())
    chosen: Mapping[str, Any] = next((row for row in options if row["id"] == option), {})
    serving = chosen.get("parts", {}).get("serving", {})
    return Load(_twelfth(requests), _twelfth(serving.get("quantities", {}).get("replica_hours")))


def with_parts(
    months: Sequence[ComparedMonth], *, load: Load, traffic: Mapping[date, int]
) -> tuple[ComparedMonth, ...]:
    """The months with their requests, and the parts of their difference or the inputs missing for them."""
    return tuple(_with_parts(month, load, traffic.get(month.month)) for month in months)


def _with_parts(month: ComparedMonth, load: Load, requests: int | None) -> ComparedMonth:
    counted = dataclasses.replace(month, requests=requests)
    planned, billed = month.projected, month.billed
    if planned is None or billed is None:
        return counted
    missing_inputs = _missing_inputs(load, requests, month.server_hours)
    if missing_inputs:
        return dataclasses.replace(counted, missing_inputs=missing_inputs)
    parts = split(
        MonthUsage(load.requests or Decimal(0), load.replica_hours or Decimal(0), planned.median),
        MonthUsage(Decimal(requests or 0), month.server_hours or Decimal(0), billed),
    )
    return dataclasses.replace(counted, parts=parts)


def _missing_inputs(load: Load, requests: int | None, server_hours: Decimal | None) -> tuple[str, ...]:
    inputs = (
        (NO_PROJECTION, load.requests),
        (NO_REPLICAS, load.replica_hours if load.requests else True),
        (NO_REQUESTS, requests),
        (NO_HOURS, server_hours),
    )
    return tuple(text for text, value in inputs if not value)


def _twelfth(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value)) / MONTHS
