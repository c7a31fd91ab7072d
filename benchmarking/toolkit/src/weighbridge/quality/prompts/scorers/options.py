"""What several scorers read: lists of texts, switches, and how texts are compared."""

import unicodedata
from collections.abc import Callable
from typing import Any

from weighbridge.core.documents import Reader

VALUES_MAX, CHARS_MAX = 100, 10_000


def switch(reader: Reader, key: str, *, default: bool) -> bool:
    """Return true or false."""
    return reader.flag(key) if reader.asks(key) else default


def texts(reader: Reader, key: str) -> tuple[str, ...]:
    """Return one to 100 texts, as written; raise Invalid for anything else."""
    value: Any = reader.plain(key)
    listed = value if isinstance(value, list) else [value]
    is_right = all(isinstance(each, str) and 0 < len(each) <= CHARS_MAX for each in listed)
    if not is_right or not 1 <= len(listed) <= VALUES_MAX:
        raise reader.fault(key, f"must be a text, or 1 to {VALUES_MAX} texts, of at most {CHARS_MAX:,} characters.")
    return tuple(listed)


def normalizer(reader: Reader, *, trims: bool) -> Callable[[str], str]:
    """Return how texts are changed before they are compared, by the switches trim, ignore_case and nfkc.

    NFKC (Unicode) makes characters that only look different equal, such as full-width digits and ligatures.
    """
    is_trimmed, is_composed = switch(reader, "trim", default=trims), switch(reader, "nfkc", default=True)
    ignores_case = switch(reader, "ignore_case", default=False)

    def normalized(text: str) -> str:
        text = unicodedata.normalize("NFKC", text) if is_composed else text
        text = text.casefold() if ignores_case else text
        return text.strip() if is_trimmed else text

    return normalized
