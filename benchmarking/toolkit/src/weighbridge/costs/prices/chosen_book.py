"""The price book of one question: the shipped book, lists beside it, contracts, rates of exchange, and the day."""

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
    """The shipped book on a day, today unless one is given, with the lists and the contract beside it."""
    import dataclasses

    from weighbridge.costs.prices.files.lists import open_list, read_document
    from weighbridge.costs.prices.negotiated import read_rates
    from weighbridge.costs.prices.shipped import own_book

    book, table = own_book(day_of(on) or _today()), fx_of(fx)
    for path in lists or ():
        found = open_list(path, fx=table)
        book = book.with_prices(found.prices, found.retirements)
    return book if rates is None else dataclasses.replace(book, rates=read_rates(read_document(rates)))


def day_of(text: str | None) -> date | None:
    """The day an option names; Invalid for what is none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no day; write it like 2026-09-01.", field="on") from error


def fx_of(path: Path | None) -> "FxTable | None":
    """The dated rates of a file."""
    from weighbridge.costs.prices.currency import read_fx
    from weighbridge.costs.prices.files.lists import read_document

    return None if path is None else read_fx(read_document(path))


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time.time(), UTC).date()
