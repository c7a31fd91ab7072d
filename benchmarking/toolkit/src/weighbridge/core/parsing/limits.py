"""How large a document may be: bytes, depth, number of values, and digits of a number."""

import dataclasses

from weighbridge.core.errors import TooLarge

DIGITS_MAX = 50
"""Digits of a whole number. No amount, count or identifier needs more, and each converts to a float."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """The limits of a document. `values_max` counts lists, mappings and their entries."""

    bytes_max: int = 4_000_000
    depth_max: int = 100
    values_max: int = 1_000_000


DOCUMENT = DocumentLimits()
MEASUREMENT = DocumentLimits(bytes_max=256_000_000, values_max=32_000_000)
"""For results of measurements and answers of models, which contain long lists of numbers."""


def check_size(size: int, *, name: str, limits: DocumentLimits, field: str | None) -> None:
    """Raise TooLarge for more bytes than allowed."""
    if size > limits.bytes_max:
        raise TooLarge(f"{name} is larger than the {limits.bytes_max:,} bytes allowed; split it.", field=field)
