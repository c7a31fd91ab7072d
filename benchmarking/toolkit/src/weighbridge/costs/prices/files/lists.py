"""Price lists as files: the stored document of an imported list, and lists that a person adds to the book."""

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_bytes, read_json
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.costs.prices.currency import FxTable
from weighbridge.costs.prices.files.exact_yaml import date_at, read_exact
from weighbridge.costs.prices.files.price_document import record_of
from weighbridge.costs.prices.files.sheet import read_sheet
from weighbridge.costs.prices.price import Price, PriceList, Retirement, as_plain

SCHEMA = "weighbridge.price-list/1"
LIST = DocumentLimits(bytes_max=64_000_000, values_max=8_000_000)
"""For lists on this machine; the server takes smaller ones."""


def list_document(imported: PriceList) -> dict[str, Any]:
    """Return the document `weighbridge.price-list/1` of an import, with the digest of its content."""
    content = {
        "schema": SCHEMA,
        "name": imported.name,
        "source": imported.source,
        "as_of": imported.as_of.isoformat(),
        "prices": [price.as_document() for price in imported.prices],
        "retirements": [{"sku": sku, **as_plain(each)} for sku, each in imported.retirements.items()],
    }
    return {**content, "digest": digest_of(content)}


def read_list(document: object) -> PriceList:
    """Read an imported list; raise Invalid with the path of the invalid key, and for a digest of other content."""
    reader = Reader(document)
    reader.constant("schema", SCHEMA)
    found = PriceList(
        name=reader.text("name"),
        source=reader.text("source"),
        as_of=date_at(reader, "as_of"),
        prices=reader.items("prices", partial(record_of, Price)),
        retirements=dict(reader.items("retirements", lambda row: (row.text("sku"), record_of(Retirement, row)))),
    )
    digest = reader.text("digest")
    reader.close()
    if digest != list_document(found)["digest"]:
        raise Invalid("The price list was changed after its import: its digest does not match.", field="digest")
    return found


def open_list(path: Path, *, fx: FxTable | None = None) -> PriceList:
    """Read a file to add to the book: a hand-written sheet (YAML) or an imported list (JSON)."""
    document = read_document(path)
    is_imported = isinstance(document, dict) and document.get("schema") == SCHEMA
    return read_list(document) if is_imported else read_sheet(document, fx=fx)


def read_document(path: Path) -> object:
    """Return the document of a YAML or JSON file with exact numbers; raise Invalid if it cannot be read."""
    if path.suffix == ".json":
        return read_json(path, limits=LIST, number=Decimal)
    try:
        text = read_bytes(path, limits=LIST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} cannot be read: it is not text.", field="file") from error
    return read_exact(text, name=path.name)
