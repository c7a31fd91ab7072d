"""The converter: the same bytes as before it, exact inverses, and a sentence for whatever was not written by it."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.canonical import canonical_bytes, plain
from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    amount: Decimal
    color: Color = Color.RED
    due_on: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise Invalid("No part is called that.", field="name")


@dataclasses.dataclass(frozen=True)
class Whole:
    at: datetime
    is_open: bool
    share: float
    first: Part | None
    parts: tuple[Part, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    more: Mapping[str, float] = dataclasses.field(default_factory=dict)


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
PARTS = st.builds(
    Part,
    name=st.text(max_size=5).filter(lambda text: text != "forbidden"),
    amount=AMOUNTS,
    color=st.sampled_from(Color),
    due_on=st.none() | st.dates(),
    count=st.none() | st.integers(),
)
WHOLES = st.builds(
    Whole,
    at=st.datetimes(timezones=st.just(UTC)),
    is_open=st.booleans(),
    share=FLOATS,
    first=st.none() | PARTS,
    parts=st.lists(PARTS, max_size=3).map(tuple),
    pairs=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=2).map(tuple),
    more=st.dictionaries(st.text(max_size=3), FLOATS, max_size=2),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(Whole)]), inner, max_size=7)
    ),
    max_leaves=9,
)
GOOD = to_document(Whole(datetime(2026, 1, 2, tzinfo=UTC), True, 0.5, Part(name="a", amount=Decimal("1.10"))))


@given(WHOLES)
def test_a_document_is_what_its_fields_are_in_canonical_form_and_reads_back_the_same(whole):
    document = to_document(whole)
    assert canonical_bytes(document) == canonical_bytes(dataclasses.asdict(whole))
    through_json = json.loads(json.dumps(document))
    assert plain(through_json) == plain(document)
    assert from_document(Whole, through_json, name="thing") == whole


@given(JSON)
def test_whatever_is_read_is_either_the_thing_or_refused_in_a_sentence(document):
    refused = None
    try:
        whole = from_document(Whole, document, name="thing")
    except Invalid as error:
        refused = error
    if refused is None:
        assert from_document(Whole, to_document(whole), name="thing") == whole
    else:
        assert refused.field == "thing"
        assert refused.reason.startswith("The thing cannot be read: ")
        assert "unknown error" not in refused.reason


def test_an_enumeration_is_its_value_and_comes_back_as_itself():
    document = to_document(Part(name="a", amount=Decimal(1), color=Color.BLUE))
    assert type(document["color"]) is str
    assert from_document(Part, document, name="part").color is Color.BLUE


def test_numbers_stay_as_they_are():
    document = to_document(Whole(datetime(2026, 1, 2, tzinfo=UTC), False, 60.0, None))
    assert json.dumps(document["share"]) == "60.0"
    assert from_document(Whole, document | {"share": 60}, name="thing").share == 60


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": "yesterday"}, "invalid value for type, expected datetime at thing.at"),
        ({"at": None}, "invalid value for type, expected datetime at thing.at"),
        ({"shade": 1}, "extra fields found (shade) at thing"),
        ({"is_open": 1}, "invalid value for type, expected bool at thing.is_open"),
        ({"share": "0.5"}, "invalid value for type, expected float at thing.share"),
        ({"share": True}, "invalid value for type, expected float at thing.share"),
        ({"first": {"name": "a"}}, "required field missing at thing.first.amount"),
        ({"first": {"name": 1, "amount": "1"}}, "invalid value for type, expected str at thing.first.name"),
        ({"first": {"name": "a", "amount": "much"}}, "invalid value for type, expected Decimal at thing.first.amount"),
        ({"first": {"name": "a", "amount": 1.5}}, "invalid value for type, expected Decimal at thing.first.amount"),
        (
            {"first": {"name": "a", "amount": "1", "color": "green"}},
            "invalid value for type, expected Color at thing.first.color",
        ),
        ({"parts": "ab"}, "invalid value for type, expected tuple at thing.parts"),
        ({"parts": {}}, "invalid value for type, expected tuple at thing.parts"),
        ({"parts": ["a"]}, "expected an object at thing.parts[0]"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change, reason):
    with pytest.raises(Invalid) as refused:
        from_document(Whole, GOOD | change, name="thing", advice="Send it again.")
    assert refused.value.reason == f"The thing cannot be read: {reason}. Send it again."


def test_no_more_than_three_reasons_are_told():
    with pytest.raises(Invalid) as refused:
        from_document(Whole, {}, name="thing")
    assert refused.value.reason.count("required field missing") == 3


def test_what_the_class_refuses_is_raised_as_it_is():
    with pytest.raises(Invalid) as refused:
        from_document(Whole, GOOD | {"first": {"name": "forbidden", "amount": "1"}}, name="thing")
    assert (refused.value.reason, refused.value.field) == ("No part is called that.", "name")
