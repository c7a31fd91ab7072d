"""Serializers follow from the dataclass that holds what they read or write. Few are copies of one, made by hand."""

import sys
from collections import Counter
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from rest_framework import serializers

from governance.site.api.shapes import Answer, Input, answer_of, takes
from tests.edges import below
from tests.tables import PACKAGES

COPIES_MAX = 14
FIELDS_MIN, SHARE_MIN = 3, 0.75

Kind = type[serializers.Serializer[Any]]


@dataclass(frozen=True)
class Sample:
    """Something with a few fields."""

    name: str
    unit: str
    n: int | None
    reasons: tuple[str, ...] = ()

    @property
    def is_small(self) -> bool:
        """Whether there are few."""
        return not self.n


class ByHand(Answer):
    """Three of its four fields are fields of the dataclass."""

    name = serializers.CharField()
    unit = serializers.CharField()
    n = serializers.IntegerField()
    other = serializers.CharField()


class FewerByHand(Answer):
    """Two of its three fields are."""

    name = serializers.CharField()
    unit = serializers.CharField()
    other = serializers.CharField()


def names_by_hand(kind: Kind) -> set[str]:
    """The fields that a class declares itself: neither inherited nor derived from a dataclass."""
    inherited = {name for base in kind.__bases__ for name in getattr(base, "_declared_fields", {})}
    return kind._declared_fields.keys() - inherited - getattr(kind, "derived", frozenset())


def is_copy(kind: Kind, shapes: list[type]) -> bool:
    """Whether most of the fields that a class declares itself are fields of one dataclass."""
    names = names_by_hand(kind)
    best = max(len(names & {field.name for field in fields(shape)}) for shape in shapes)
    return len(names) >= FIELDS_MIN and best >= SHARE_MIN * len(names)


def our_dataclasses() -> list[type]:
    """Every dataclass of the three packages, and those of the toolkit that they use."""
    for package in map(import_module, PACKAGES):
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "toolkit"} & set(info.name.split(".")):
                import_module(info.name)
    ours = [
        module for name, module in list(sys.modules.items()) if name.partition(".")[0] in {*PACKAGES, "weighbridge"}
    ]
    return [each for module in ours for each in vars(module).values() if isinstance(each, type) and is_dataclass(each)]


def test_few_serializers_are_copies_of_a_dataclass() -> None:
    shapes = our_dataclasses()
    kinds = set(below(serializers.Serializer))
    copies = sorted(f"{kind.__module__}.{kind.__name__}" for kind in kinds if is_copy(kind, shapes))
    assert len(kinds) > 60, "the serializers are found"
    assert len(copies) <= COPIES_MAX, copies


def test_two_serializers_never_share_a_name() -> None:
    """The document of the API would write one of them for both."""
    our_dataclasses()
    names = Counter(kind.__name__ for kind in set(below(serializers.Serializer)))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(("kind", "expected"), [(ByHand, True), (FewerByHand, False), (answer_of(Sample), False)])
def test_a_copy_is_recognized(kind: Kind, expected: bool) -> None:
    assert is_copy(kind, [Sample]) is expected


def test_an_answer_has_the_fields_of_its_dataclass() -> None:
    kind = answer_of(
        Sample,
        "S",
        without=["unit"],
        properties=["is_small"],
        after={"n": ""},
        more=serializers.CharField(source="unit"),
    )
    assert kind(Sample("a", "ms", None)).data == {"n": None, "name": "a", "reasons": [], "is_small": True, "more": "ms"}
    assert list(kind().fields) == ["n", "name", "reasons", "is_small", "more"]
    with pytest.raises(TypeError, match="Sample has no derived field size"):
        answer_of(Sample, "T", without=["size"])
    with pytest.raises(TypeError, match="Sample has an answer already"):
        answer_of(Sample, only=["name"])


def test_an_input_has_the_fields_of_its_dataclass() -> None:
    class Given(Input):
        other = serializers.CharField()
        unit = serializers.ChoiceField(["ms"])

    kind = takes(Sample, name={"max_length": 3})(Given)
    assert list(kind().fields) == ["other", "name", "unit", "n", "reasons"]
    assert (names_by_hand(kind), kind().fields["reasons"].required) == ({"other", "unit"}, False)
    given = kind(data={"other": "o", "name": "long", "unit": "ms", "n": None})
    assert (given.is_valid(), list(given.errors)) == (False, ["name"])
    with pytest.raises(TypeError, match="Sample has no derived field size"):
        takes(Sample, size={"max_length": 3})(Given)
