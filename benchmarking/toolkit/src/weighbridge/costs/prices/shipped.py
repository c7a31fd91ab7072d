"""The book that the package ships: own sheets, managed models, discounts of commitments nobody lists, retirements."""

import functools
from collections.abc import Mapping
from datetime import date
from importlib.resources import files

from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.costs.prices import data
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.commitments import Discount
from weighbridge.costs.prices.files.exact_yaml import read_exact
from weighbridge.costs.prices.files.sheet import PriceSheet, date_at, read_sheet
from weighbridge.costs.prices.managed_models import data_day, managed_prices
from weighbridge.costs.prices.price import Retirement, Term
from weighbridge.costs.prices.retirements import read_retirements

DISCOUNTS, RETIREMENTS = "commitments.yaml", "retirements.yaml"


@functools.lru_cache(maxsize=8)
def own_book(as_of: date | None = None) -> PriceBook:
    """The shipped prices, asked on the day `as_of`; without one, on the newest day that any of them is known of.

    Its sheets, and managed models from the package genai-prices as they cost on that day, with the day each retires.
    """
    listed = tuple(price for sheet in own_sheets() for price in sheet.prices)
    day = as_of or max(data_day(), *(price.as_of for price in listed))
    return PriceBook((*listed, *managed_prices(day)), day, own_discounts(), own_retirements())


@functools.cache
def own_sheets() -> tuple[PriceSheet, ...]:
    """Every shipped sheet, in the order of their names."""
    others = {DISCOUNTS, RETIREMENTS}
    names = sorted(file.name for file in files(data).iterdir() if file.name.endswith(".yaml"))
    return tuple(read_sheet(_document(name)) for name in names if name not in others)


@functools.cache
def own_discounts() -> tuple[Discount, ...]:
    """The shipped discounts of commitments."""
    return read_discounts(_document(DISCOUNTS))


@functools.cache
def own_retirements() -> Mapping[str, Retirement]:
    """The shipped days on which vendors stop serving managed models, by SKU."""
    return read_retirements(_document(RETIREMENTS))


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


def _document(name: str) -> object:
    return read_exact(files(data).joinpath(name).read_text(encoding="utf-8"), name=name)
