"""The prices that a projection used, as text for a finding."""

from collections.abc import Mapping
from typing import Any

from weighbridge.costs.changes import what_of

SHOWN_MAX = 8


def price_words(document: Mapping[str, Any]) -> str:
    """Each price of a projection once, oldest first: `aws/us-east-1/g5.xlarge of 2026-01-15`; "" without prices."""
    prices = sorted({(price["as_of"], what_of(price)) for price in document.get("prices", ())})
    texts = [f"{what} of {as_of}" for as_of, what in prices[:SHOWN_MAX]]
    return ", ".join(texts) + (f" and {len(prices) - SHOWN_MAX} more" if len(prices) > SHOWN_MAX else "")
