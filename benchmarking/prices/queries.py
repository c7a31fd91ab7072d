"""Reads of prices: the shipped price book and the sources that the organization published."""

from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache

from benchmarking.prices.models import PriceSource
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import Price, Term
from weighbridge.costs.prices.published import read_published, with_sources
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.subjects.subject import Subject


def sources_in_force() -> list[PriceSource]:
    """Return the sources in force, in order of publication: the latest of each name, unless it was withdrawn."""
    latest = PriceSource.objects.order_by("kind", "name", "-pk").distinct("kind", "name").values("pk")
    rows = PriceSource.objects.filter(pk__in=latest).exclude(content="").select_related("published_by")
    return list(rows.order_by("pk"))


def price_book(on: date) -> PriceBook:
    """Return the price book for calculations on a day."""
    return _book(on, tuple(source.content for source in sources_in_force()))


@lru_cache(maxsize=8)  # cached because the digest of a book takes as long to compute as a projection
def _book(on: date, contents: tuple[str, ...]) -> PriceBook:
    return with_sources(shipped_book(on), tuple(read_published(content) for content in contents))


def managed_sku(book: PriceBook, subject: Subject) -> str:
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


def search_prices(*, book: PriceBook, wanted: str) -> list[Price]:
    """Return the prices whose SKU contains the text; * and ? are wildcards. Negotiated prices replace list prices."""
    pattern = f"*{wanted.lower()}*"
    found = (book.by_contract(price) for price in book.prices if fnmatchcase(price.sku.lower(), pattern))
    return sorted(found, key=lambda price: price.sku)
