"""A value copied into another shape."""

from dataclasses import dataclass

import pytest

from reviews.requests.domain.copies import copy_of


@dataclass(frozen=True)
class Whole:
    """What is copied."""

    name: str
    size: int
    note: str


@dataclass(frozen=True)
class Part:
    """What is made of it."""

    name: str
    title: str


def test_fields_of_the_same_name_are_copied_and_the_others_given() -> None:
    whole = Whole("a", 3, "x")
    assert copy_of(whole, Part, title="A") == Part("a", "A")
    assert copy_of(whole, Part, name="b", title="B") == Part("b", "B")
    with pytest.raises(AttributeError, match="title"):
        copy_of(whole, Part)
