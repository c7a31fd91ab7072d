"""Offers: all purchase options of a SKU in the book, each with the prices of other sources."""

import dataclasses
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import Meter, Price, Term, amount_text


@dataclasses.dataclass(frozen=True)
class Offer:
    """One price to calculate with, and the prices of other sources."""

    price: Price
    others: tuple[Price, ...]

    def as_document(self) -> dict[str, Any]:
        """Return the price, its hourly price per GPU, and the prices of other sources."""
        per_gpu = self.price.usd_per_gpu_h
        return {
            "price": self.price.as_document(),
            "usd_per_gpu_h": None if per_gpu is None else amount_text(per_gpu),
            "others": [other.as_document() for other in self.others],
        }


def offers_of(book: PriceBook, sku: str, *, stale_days: int | None = None) -> tuple[Offer, ...]:
    """Return all terms and meters of a SKU with a price (listed, negotiated or derived), in the order of the terms.

    Raises Invalid with the nearest names for an unknown SKU, and with `stale_days` for a price older than that.
    """
    known = book.with_sku(sku)
    if not known:
        book.find(sku)  # raises with the nearest names
    meters = {price.meter for price in known}
    wanted = [(term, meter) for term in Term for meter in Meter if meter in meters]
    found = (_offer(book, sku, term, meter, stale_days) for term, meter in wanted)
    return tuple(offer for offer in found if offer is not None)


def _offer(book: PriceBook, sku: str, term: Term, meter: Meter, stale_days: int | None) -> Offer | None:
    try:
        price = book.find(sku, term=term, meter=meter, stale_days=stale_days)
    except Invalid as refused:
        if refused.code != "unknown_term":
            raise
        return None
    return Offer(price, book.opinions(sku, term=term, meter=meter)[1:])
