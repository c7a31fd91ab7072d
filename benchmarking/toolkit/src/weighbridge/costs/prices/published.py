"""Read a published source of prices: a price list or a contract, distinguished by its `kind`."""

import dataclasses
import functools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES, read_exact
from weighbridge.costs.prices.files.lists import SCHEMA, read_list
from weighbridge.costs.prices.files.sheet import DOCUMENT_KIND, read_sheet
from weighbridge.costs.prices.negotiated import ContractRate, read_rates
from weighbridge.costs.prices.price import Price, Retirement

ACCEPTED = "a PriceSheet, NegotiatedRates (YAML), or the JSON that `weighbridge prices import` writes"


class SourceKind(StrEnum):
    """The kind of a source."""

    LIST = "list"
    RATES = "rates"


@dataclasses.dataclass(frozen=True)
class Published:
    """The content of a source; a contract has no prices of its own."""

    kind: SourceKind
    name: str
    as_of: date | None
    prices: tuple[Price, ...] = ()
    retirements: Mapping[str, Retirement] = dataclasses.field(default_factory=dict)
    rates: tuple[ContractRate, ...] = ()


@functools.lru_cache(maxsize=32)
def read_published(text: str) -> Published:
    """Read a source; raise Invalid with the path of the invalid key, TooLarge above 4 MB."""
    document = _parsed(text)
    if not isinstance(document, Mapping):
        raise Invalid(f"The file must be {ACCEPTED}.", field="file")
    if document.get("kind") == "NegotiatedRates":
        return Published(SourceKind.RATES, str(document.get("organization")), None, rates=read_rates(document))
    if document.get("schema") == SCHEMA:
        found = read_list(document)
    elif document.get("kind") == DOCUMENT_KIND:
        found = read_sheet(document)
    else:
        raise Invalid(f"The file must be {ACCEPTED}.", field="file")
    return Published(SourceKind.LIST, found.name, found.as_of, found.prices, found.retirements)


def with_sources(book: PriceBook, sources: tuple[Published, ...]) -> PriceBook:
    """Return the book with lists added after its own prices and contracts added before them, in the given order."""
    for source in sources:
        book = book.with_prices(source.prices, source.retirements)
    return dataclasses.replace(book, rates=tuple(rate for source in sources for rate in source.rates))


def _parsed(text: str) -> Any:
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        raise TooLarge(f"The file is larger than {LARGEST_BYTES // 1_000_000} MB; import it by region.", field="file")
    try:
        return parse_json(text, number=Decimal)
    except Invalid:
        return read_exact(text, name="The file")
