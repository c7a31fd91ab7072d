"""A cost spec as people write it: YAML in, plain values that a database keeps out."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any, Protocol

from weighbridge import costs
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES, read_exact


class Readable(Protocol):
    """A file that was sent."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes of it."""
        ...


def read_spec_text(text: str) -> dict[str, Any]:
    """The spec in JSON's own types; Invalid for what is no YAML or no mapping (`source`), TooLarge beyond 4 MB."""
    try:
        document = read_exact(text, name="The spec")
    except Invalid as refused:
        refused.field = "source"
        raise
    if not isinstance(document, Mapping):
        raise Invalid("The spec must be a mapping of names to values, beginning with kind: CostSpec.", field="source")
    plain: dict[str, Any] = _plain(document)
    return plain


def text_of(upload: Readable) -> str:
    """The text of an uploaded spec; Invalid for what is no UTF-8 (`file`), TooLarge beyond what is read."""
    content = upload.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise TooLarge(f"A spec is at most {LARGEST_BYTES // 1_000_000} MB.", field="file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The file is not text in UTF-8; a spec is YAML.", field="file") from error


def template_text() -> str:
    """The annotated example spec that the toolkit ships."""
    return files(costs).joinpath("template.yaml").read_text(encoding="utf-8")


def _plain(value: object) -> Any:
    """Decimals become the floats they print as; a reader takes a float by its shortest spelling, so nothing is lost."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
