"""Build a price book from options: the shipped book, price lists, contracts, exchange rates, and the day."""

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    from weighbridge.costs.prices.book import PriceBook
    from weighbridge.costs.prices.currency import FxTable


def book_of(lists: Sequence[Path] | None, rates: Path | None, fx: Path | None, on: str | None) -> "PriceBook":
    """Return the shipped book on a day (default: today) with the given lists and contract."""
    import dataclasses

    from weighbridge.costs.prices.files.lists import open_list, read_document
    from weighbridge.costs.prices.negotiated import read_rates
    from weighbridge.costs.prices.shipped import shipped_book

    book, table = shipped_book(day_of(on) or _today()), fx_of(fx)
    for path in lists or ():
        found = open_list(path, fx=table)
        book = book.with_prices(found.prices, found.retirements)
    return book if rates is None else dataclasses.replace(book, rates=read_rates(read_document(rates)))


def day_of(text: str | None) -> date | None:
    """Parse a day; raise Invalid if it is not one."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is not a date; write it like 2026-09-01.", field="on") from error


def fx_of(path: Path | None) -> "FxTable | None":
    """Return the exchange rates of a file."""
    from weighbridge.costs.prices.currency import read_fx
    from weighbridge.costs.prices.files.lists import read_document

    return None if path is None else read_fx(read_document(path))


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time.time(), UTC).date()
