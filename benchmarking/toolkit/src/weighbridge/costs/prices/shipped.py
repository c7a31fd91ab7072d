"""The shipped price book: sheets, managed models, discounts for unlisted commitments, and retirements."""

import functools
from collections.abc import Mapping
from datetime import date
from importlib.resources import files

from weighbridge.core.documents import Reader, check_unique
from weighbridge.costs.prices import data
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.commitment_discounts import Discount
from weighbridge.costs.prices.files.exact_yaml import date_at, read_exact, reader_of
from weighbridge.costs.prices.files.sheet import read_sheet
from weighbridge.costs.prices.managed_models import data_day, managed_prices
from weighbridge.costs.prices.price import PriceList, Retirement, Term

DISCOUNTS, RETIREMENTS = "commitments.yaml", "retirements.yaml"


@functools.lru_cache(maxsize=8)
def shipped_book(as_of: date | None = None, *, skus: frozenset[str] | None = None) -> PriceBook:
    """Return the shipped book on the day `as_of`; default: the newest day of any shipped price.

    It has the shipped sheets, and managed models from the package genai-prices with their prices and retirements. With
    `skus`, managed models with other SKUs are left out, which is faster.
    """
    listed = tuple(price for sheet in shipped_sheets() for price in sheet.prices)
    day = as_of or max(data_day(), *(price.as_of for price in listed))
    return PriceBook((*listed, *managed_prices(day, skus=skus)), day, shipped_discounts(), shipped_retirements())


@functools.cache
def shipped_sheets() -> tuple[PriceList, ...]:
    """Return all shipped sheets, in the order of their names."""
    others = {DISCOUNTS, RETIREMENTS}
    names = sorted(file.name for file in files(data).iterdir() if file.name.endswith(".yaml"))
    return tuple(read_sheet(_document(name)) for name in names if name not in others)


@functools.cache
def shipped_discounts() -> tuple[Discount, ...]:
    """Return the shipped discounts for commitments."""
    return read_discounts(_document(DISCOUNTS))


@functools.cache
def shipped_retirements() -> Mapping[str, Retirement]:
    """Return the shipped retirement days of managed models, by SKU."""
    return read_retirements(_document(RETIREMENTS))


def read_discounts(document: object) -> tuple[Discount, ...]:
    """Read a document of kind CommitmentDiscounts; raise Invalid with the path of the invalid key."""
    reader = reader_of(document, "CommitmentDiscounts")
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


def read_retirements(document: object) -> dict[str, Retirement]:
    """Read a document of kind Retirements, by SKU; raise Invalid with the path of the invalid key."""
    reader = reader_of(document, "Retirements")
    source = f"{reader.text('source')}, {date_at(reader, 'as_of')}"
    rows = reader.items("retirements", lambda row: _retirement(row, source))
    reader.text("license", "")
    reader.close()
    check_unique(tuple(sku for sku, _ in rows), path="retirements", name="sku")
    return dict(rows)


def _retirement(row: Reader, source: str) -> tuple[str, Retirement]:
    return row.text("sku"), Retirement(date_at(row, "retires_on"), source, row.text("successor", ""))


def _document(name: str) -> object:
    return read_exact(files(data).joinpath(name).read_text(encoding="utf-8"), name=name)
