"""The prices a projection was made with, as a finding lists them."""

from collections.abc import Mapping
from typing import Any

from weighbridge.costs.changes import what_of

SHOWN_MAX = 8


def price_words(document: Mapping[str, Any]) -> str:
    """Each price of a projection once, the oldest first: `aws/us-east-1/g5.xlarge of 2026-01-15`; "" where it names
    none.
    """
    named = sorted({(price["as_of"], what_of(price)) for price in document.get("prices", ())})
    words = [f"{what} of {as_of}" for as_of, what in named[:SHOWN_MAX]]
    return ", ".join(words) + (f" and {len(named) - SHOWN_MAX} more" if len(named) > SHOWN_MAX else "")
