"""What a month's difference from its plan is made of: the projection's twelfth against the requests and server hours of
the month.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from governance.bills.domain.variance.split import MonthUsage, split
from reviews.evidence.domain.comparison import MONTHS, ComparedMonth

NO_PROJECTION = "a stated projection, with its load"
NO_REPLICAS = "replica hours in the projection: the option is not served by replicas of its own"
NO_REQUESTS = "the month's number of requests"
NO_HOURS = "hours of servers in the bill"


@dataclass(frozen=True)
class Load:
    """A planned month: requests, and the hours of replicas for them, each a server; None where nothing says."""

    requests: Decimal | None = None
    replica_hours: Decimal | None = None


def load_of(document: Mapping[str, Any], *, option: str) -> Load:
    """A twelfth of the year that a projection is for, of the option asked for."""
    requests = document.get("load", {}).get("requests_per_year")
    options = document.get("options", ())
    chosen: Mapping[str, Any] = next((each for each in options if each["id"] == option), {})
    serving = chosen.get("parts", {}).get("serving", {})
    return Load(_twelfth(requests), _twelfth(serving.get("quantities", {}).get("replica_hours")))


def with_parts(
    months: Sequence[ComparedMonth], *, load: Load, traffic: Mapping[date, int]
) -> tuple[ComparedMonth, ...]:
    """The months with their requests, and the parts of their difference or what is lacking for them."""
    return tuple(_with_parts(month, load, traffic.get(month.month)) for month in months)


def _with_parts(month: ComparedMonth, load: Load, requests: int | None) -> ComparedMonth:
    counted = dataclasses.replace(month, requests=requests)
    planned, billed = month.projected, month.billed
    if planned is None or billed is None:
        return counted
    lacking = _lacking(load, requests, month.server_hours)
    if lacking:
        return dataclasses.replace(counted, lacking=lacking)
    parts = split(
        MonthUsage(load.requests or Decimal(0), load.replica_hours or Decimal(0), planned.middle),
        MonthUsage(Decimal(requests or 0), month.server_hours or Decimal(0), billed),
    )
    return dataclasses.replace(counted, parts=parts)


def _lacking(load: Load, requests: int | None, server_hours: Decimal | None) -> tuple[str, ...]:
    asked = (
        (NO_PROJECTION, load.requests),
        (NO_REPLICAS, load.replica_hours if load.requests else True),
        (NO_REQUESTS, requests),
        (NO_HOURS, server_hours),
    )
    return tuple(words for words, known in asked if not known)


def _twelfth(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value)) / MONTHS
