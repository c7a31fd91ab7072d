"""The book that the package ships: its own sheets, and the discounts of commitments nobody lists."""

import functools
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

from benchmarking.toolkit.costs.prices import data
from benchmarking.toolkit.costs.prices.book import PriceBook
from benchmarking.toolkit.costs.prices.commitments import Discount
from benchmarking.toolkit.costs.prices.exact_yaml import read_exact
from benchmarking.toolkit.costs.prices.price import Term
from benchmarking.toolkit.costs.prices.sheet import Sheet, date_at, read_sheet
from governance.domain.documents import API_VERSION, Reader

DISCOUNTS = "commitments.yaml"


@functools.lru_cache(maxsize=8)
def own_book(as_of: date | None = None) -> PriceBook:
    """The shipped prices, asked on the day `as_of`; without one, on the day of the newest price in it."""
    prices = tuple(price for sheet in own_sheets() for price in sheet.prices)
    return PriceBook(prices, as_of or max(price.as_of for price in prices), own_discounts())


@functools.cache
def own_sheets() -> tuple[Sheet, ...]:
    """Every shipped sheet, in the order of their names."""
    return tuple(read_sheet(read_exact(text, name=name)) for name, text in _texts() if name != DISCOUNTS)


@functools.cache
def own_discounts() -> tuple[Discount, ...]:
    """The shipped discounts of commitments."""
    return read_discounts(read_exact(files(data).joinpath(DISCOUNTS).read_text(encoding="utf-8"), name=DISCOUNTS))


def read_discounts(document: object) -> tuple[Discount, ...]:
    """The discounts of a parsed document of kind CommitmentDiscounts; Invalid with the path of the key at fault."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", "CommitmentDiscounts")
    source, as_of = reader.text("source"), date_at(reader, "as_of")
    found = reader.items("discounts", lambda row: _discount(row, source, as_of))
    reader.close()
    return found


def _discount(row: Reader, source: str, as_of: date) -> Discount:
    return Discount(
        provider=row.text("provider"),
        term=row.choice("term", Term),
        share=row.number("share"),
        low=row.number("low"),
        high=row.number("high"),
        as_of=as_of,
        source=source,
    )


def _texts() -> Iterator[tuple[str, str]]:
    for file in sorted(files(data).iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            yield file.name, file.read_text(encoding="utf-8")
