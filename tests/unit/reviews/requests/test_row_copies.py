"""A dataclass is filled from a row of the same names, but for what is computed."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from reviews.requests.domain.row_copies import from_row


@dataclass(frozen=True, kw_only=True)
class Line:
    number: int
    text: str


def test_what_is_not_computed_is_copied() -> None:
    row = SimpleNamespace(number=7, text="of the row", more="not asked for")
    assert from_row(Line, row) == Line(number=7, text="of the row")
    assert from_row(Line, row, text="computed") == Line(number=7, text="computed")


def test_a_field_that_neither_has_is_an_error() -> None:
    with pytest.raises(AttributeError, match="text"):
        from_row(Line, SimpleNamespace(number=7))
