"""Rows of tokens: one kind of tokens of a model in a month, with its cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

PRICE_STEP = Decimal("0.000001")


@dataclass(frozen=True)
class TokenRow:
    """The tokens of one kind of a model in a month, and their effective cost and its remainder in US dollars.

    `is_named` says that the rule names a request. `remainder` is the cost less unit price x quantity. `meters` are the
    meters of tokens without a known model or direction. `apart` is the effective cost without an exchange rate.
    """

    month: date
    is_named: bool
    model: str
    snapshot: str
    direction: str
    cache_action: str
    subject: str
    tokens: Decimal
    model_requests: Decimal
    effective: Decimal
    remainder: Decimal
    apart: Mapping[str, Decimal]
    meters: tuple[str, ...]
    is_generated: bool

    @property
    def is_matched(self) -> bool:
        """Whether model and direction are known."""
        return bool(self.model and self.direction)

    @property
    def usd_per_million(self) -> Decimal | None:
        """US dollars per million tokens without the remainder, to six digits after the point; None without tokens."""
        if not self.tokens:
            return None
        return ((self.effective - self.remainder) * 1_000_000 / self.tokens).quantize(PRICE_STEP)
