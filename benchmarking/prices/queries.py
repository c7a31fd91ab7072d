"""Reads of prices: the shipped price book and the sources that the organization published."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fnmatch import translate
from functools import lru_cache
from operator import attrgetter

from benchmarking.prices.models import PriceSource
from weighbridge.core.metrics.units import share_text
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import Meter, Price, Term, amount_text
from weighbridge.costs.prices.published import Published, read_published, with_sources
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.subjects.subject import Subject


@dataclass(frozen=True)
class PriceMove:
    """A changed price of a managed model: what is counted, and US dollars for the same amount before and now."""

    meter: Meter
    before: Decimal
    after: Decimal

    @property
    def share(self) -> Decimal:
        """The change relative to the price before; 1 for what was free."""
        return (self.after - self.before) / self.before if self.before else Decimal(1)

    @property
    def words(self) -> str:
        """The change in sentences: `input from 0.25 to 0.3 USD (+20.0 %)`."""
        sign, share = "-" if self.share < 0 else "+", share_text(abs(self.share), decimals=1)
        amounts = f"from {amount_text(self.before)} to {amount_text(self.after)} USD"
        return f"{self.meter.replace('_', ' ')} {amounts} ({sign}{share.replace('%', ' %')})"


def sources_in_force(at: datetime | None = None) -> list[PriceSource]:
    """Return the sources in force, in order of publication: the latest of each name, unless it was withdrawn.

    With `at`, those that were in force at that time.
    """
    published = PriceSource.objects.all() if at is None else PriceSource.objects.filter(published_at__lte=at)
    latest = published.order_by("kind", "name", "-pk").distinct("kind", "name").values("pk")
    rows = PriceSource.objects.filter(pk__in=latest).exclude(content="").select_related("published_by")
    return list(rows.order_by("pk"))


def price_book(on: date) -> PriceBook:
    """Return the price book for calculations on a day."""
    return _book(on, contents_in_force())


def contents_in_force() -> tuple[str, ...]:
    """Return the texts of the sources in force, in order of publication."""
    return tuple(source.content for source in sources_in_force())


def price_book_for(on: date, *, contents: tuple[str, ...], skus: frozenset[str]) -> PriceBook:
    """Return the price book for a calculation on a day that asks for these SKUs: of managed models, it has no others.

    `contents` are the texts of the sources.
    """
    return with_sources(shipped_book(on, skus=skus), _published(contents))


def price_book_at(at: datetime) -> PriceBook:
    """Return the price book as it was at a time: with its sources, as far as the shipped prices have dates."""
    return _book(at.date(), tuple(source.content for source in sources_in_force(at)))


@lru_cache(maxsize=8)  # cached because the digest of a book takes as long to compute as a projection
def _book(on: date, contents: tuple[str, ...]) -> PriceBook:
    return with_sources(shipped_book(on), _published(contents))


@lru_cache(maxsize=8)
def _published(contents: tuple[str, ...]) -> tuple[Published, ...]:
    return tuple(read_published(content) for content in contents)


def managed_sku(book: PriceBook, *, subject: Subject) -> str:
    """Return the SKU of a managed model: its snapshot's if that has a price of its own; "" if it has no price."""
    document = subject.document
    name = f"{document['provider']}/{document['model']}"
    wanted = (f"{name}-{document['snapshot']}", name)
    return next((sku for sku in wanted if book.with_sku(sku)), "")


def contract_end(book: PriceBook, *, sku: str) -> date | None:
    """Return the last day of the contracts that price the SKU on demand on the day of the book; None without an end."""
    prices = [price for price in book.with_sku(sku) if price.term is Term.ON_DEMAND]
    rates = (next((rate for rate in book.rates if rate.fits(price, on=book.as_of)), None) for price in prices)
    return min((rate.valid_until for rate in rates if rate is not None and rate.valid_until is not None), default=None)


def price_moves(*, before: PriceBook, after: PriceBook, sku: str) -> tuple[PriceMove, ...]:
    """Return the on-demand prices of a SKU that differ between two books, in the order of the meters."""
    old, new = (_on_demand(book, sku) for book in (before, after))
    return tuple(
        PriceMove(meter, old[meter].usd, new[meter].usd)
        for meter in Meter
        if meter in old and meter in new and old[meter].usd != new[meter].usd
    )


def _on_demand(book: PriceBook, sku: str) -> dict[Meter, Price]:
    """The prices to calculate with, by meter."""
    meters = {price.meter for price in book.with_sku(sku) if price.term is Term.ON_DEMAND}
    return {meter: book.find(sku, meter=meter) for meter in meters}


def search_prices(*, book: PriceBook, wanted: str) -> list[Price]:
    """Return the prices whose SKU contains the text; * and ? are wildcards. Negotiated prices replace list prices."""
    is_wanted = re.compile(translate(f"*{wanted.lower()}*")).match
    found = (price for price in book.prices if not wanted or is_wanted(price.sku.lower()))
    return sorted(map(book.by_contract, found), key=attrgetter("sku"))
