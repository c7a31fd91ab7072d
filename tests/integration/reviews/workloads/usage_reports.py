"""Usage reports as tests send them."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User

from reviews.workloads.actions import usage as actions
from reviews.workloads.models import UsageGateway
from weighbridge.client.usage.report import read_usage

MODEL = "openai/gpt-4o-mini-2024-07-18"


def line(day: date, **changes: Any) -> dict[str, Any]:
    """A thousand tokens, a quarter of them output, for a cent."""
    known = {
        "day": day.isoformat(),
        "model": MODEL,
        "requests": 10,
        "input_tokens": 750,
        "cached_tokens": 100,
        "output_tokens": 250,
        "usd": "0.01",
    }
    return {name: value for name, value in (known | changes).items() if value is not None}


def store(*lines: dict[str, Any], by: User, now: datetime, **changes: Any) -> UsageGateway:
    """The report of a production gateway, as it is stored."""
    listed = list(lines) or [line(now.date())]
    document = {"gateway": "litellm-eu", "environment": "prod", "lines": listed} | changes
    return actions.store_usage(report=read_usage(document), by=by, now=now)
