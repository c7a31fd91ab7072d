"""Commitments: the hourly price under a one- or three-year commitment if no contract or list states it."""

import dataclasses
from datetime import date
from decimal import Decimal

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import Price, PriceOrigin, Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class Discount:
    """The share of the on-demand price that a commitment saves, as published, with its range.

    It is an assumption, not a quotation: a price computed with it is `derived` and has the range.
    """

    provider: str
    term: Term
    share: Decimal
    low: Decimal
    high: Decimal
    as_of: date
    source: str

    def __post_init__(self) -> None:
        """Refuse invalid shares, shares outside their range, and terms that are not commitments."""
        if not self.term.startswith("commit_"):
            raise Invalid(f"A discount applies to a commitment, not to {self.term}.", field="term")
        if not 0 <= self.low <= self.share <= self.high < 1:
            raise Invalid("A discount must be at least 0 and below 1, with low <= share <= high.", field="share")

    def of(self, price: Price) -> Price:
        """Return the price under the commitment: list · (1 - share), between list · (1 - high) and list · (1 - low)."""
        return dataclasses.replace(
            price,
            usd=price.usd * (1 - self.share),
            low_usd=price.usd * (1 - self.high),
            high_usd=price.usd * (1 - self.low),
            term=self.term,
            origin=PriceOrigin.DERIVED,
            as_of=min(price.as_of, self.as_of),
            source=f"{price.source}; discount of {self.share} (between {self.low} and {self.high}): {self.source}",
            list_price=price,
        )
