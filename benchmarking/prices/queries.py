"""Reads of prices: the shipped book with what the organization published beside it."""

from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache

from benchmarking.prices.models import PriceSource
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import Price
from weighbridge.costs.prices.published import beside, read_published
from weighbridge.costs.prices.shipped import own_book


def current() -> list[PriceSource]:
    """The sources that hold: of each name the latest, unless it was withdrawn; in the order of their publication."""
    latest = PriceSource.objects.order_by("kind", "name", "-pk").distinct("kind", "name").values("pk")
    rows = PriceSource.objects.filter(pk__in=latest).exclude(content="").select_related("published_by")
    return list(rows.order_by("pk"))


def price_book(on: date) -> PriceBook:
    """The prices to calculate with on a day."""
    return _book(on, tuple(source.content for source in current()))


@lru_cache(maxsize=8)  # a book names its snapshot once, and that takes as long as a projection
def _book(on: date, contents: tuple[str, ...]) -> PriceBook:
    return beside(own_book(on), tuple(read_published(content) for content in contents))


def matching(*, book: PriceBook, wanted: str) -> list[Price]:
    """The prices whose SKU holds the text, * and ? in it standing for anything, by contract where there is one."""
    pattern = f"*{wanted.lower()}*"
    found = (book.by_contract(price) for price in book.prices if fnmatchcase(price.sku.lower(), pattern))
    return sorted(found, key=lambda price: price.sku)
