"""Read a cost spec from YAML text into plain values that a database can store."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs import spec
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES, read_exact

if TYPE_CHECKING:
    from _typeshed import SupportsRead


def read_spec_text(text: str) -> dict[str, Any]:
    """Return the spec in JSON's own types; raise Invalid (`source`) if it is no YAML mapping, TooLarge above 4 MB."""
    try:
        document = read_exact(text, name="The spec")
    except Invalid as refused:
        refused.field = "source"
        raise
    if not isinstance(document, Mapping):
        raise Invalid("The spec must be a mapping of names to values with kind: CostSpec.", field="source")
    return {str(name): _plain(value) for name, value in document.items()}


def text_of(upload: "SupportsRead[bytes]") -> str:
    """Return the text of an uploaded spec; raise Invalid if it is not UTF-8 (`file`), TooLarge above the limit."""
    content = upload.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise TooLarge(f"A spec may have at most {LARGEST_BYTES // 1_000_000} MB.", field="file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text; a spec must be YAML.", field="file") from error


def template_text() -> str:
    """Return the annotated example spec of the toolkit."""
    return files(spec).joinpath("template.yaml").read_text(encoding="utf-8")


def _plain(value: object) -> Any:
    """Convert decimals to floats; nothing is lost, because a reader takes the shortest spelling of a float."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
