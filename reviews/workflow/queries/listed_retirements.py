"""Retirements of managed models that the price book lists, and that nobody announced."""

from collections.abc import Iterator
from datetime import datetime

from benchmarking.prices.queries import managed_sku, price_book
from governance.inventory.domain.retirement import end_of, is_sooner, notice_days
from governance.inventory.queries import managed_within, retirement_day
from reviews.authorizations.models import Authorization
from weighbridge.costs.prices.price import Retirement


def unannounced(row: Authorization, *, now: datetime) -> Iterator[tuple[str, Retirement]]:
    """Each managed model of an authorization, by SKU, that the book retires within 90 days and before an announced day.

    An authorization that ends before that day needs nothing. A list of prices is no announcement: the gate denies from
    the day that a person announced.
    """
    version = row.decision.request.model_version
    announced, book = retirement_day(version), price_book(now.date())
    for model in managed_within(version):
        sku = managed_sku(book, subject=model)
        listed = book.retirements.get(sku)
        if listed is None or notice_days(listed.on, today=now.date()) is None:
            continue
        if row.expires_at > end_of(listed.on) and is_sooner(listed.on, than=announced):
            yield sku, listed
