"""JSON piece by piece: the same as the whole, however it is cut, and refused where it breaks."""

import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs.prices.importers import json_stream
from weighbridge.costs.prices.importers.json_stream import members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


class Drops(io.StringIO):
    """A stream that gives a few characters at a time, whatever is asked."""

    def read(self, size=-1):
        return super().read(min(size, 3))


def rebuilt(text, *, depth):
    """The document put together again from its members."""
    return dict(members(Drops(text), is_opened=lambda path: len(path) < depth))


@given(VALUES)
def test_a_document_unopened_is_itself(document):
    assert rebuilt(json.dumps(document), depth=0) == {(): document}


@given(st.dictionaries(st.text(max_size=3), st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=3))
def test_a_document_opened_twice_is_all_its_members(document):
    expected = {(name, inner): value for name, each in document.items() for inner, value in each.items()}
    assert rebuilt(json.dumps(document, indent=2), depth=2) == expected


def test_lists_are_opened_by_position_and_numbers_stay_exact():
    assert rebuilt("[1.10, 22,\n1.5e-07 ]", depth=1) == {
        (0,): Decimal("1.10"),
        (1,): 22,
        (2,): Decimal("1.5e-07"),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value at character 0"),
        ("{", "Expecting value at character 1"),
        ("{1: 2}", "a key must be text"),
        ('{"a" 2}', "':' is missing at character 5"),
        ('{"a": 1 "b": 2}', "',' is missing at character 8"),
        ('{"a": [}', "Expecting value"),
        ('{"a": NaN}', "NaN is not a number"),
        ("[1, 2", "',' is missing"),
        ("[1] 2", "there is content after the end of the document at character 4"),
        pytest.param("[" + "9" * 5_000 + "]", "a number has more than 50 digits", id="many digits"),
        ("[1e99999999999999999999, 2]", "is too long or too large at character 1"),
        pytest.param("[" + "[" * 100_000, "a value is nested too deep", id="deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, reason):
    with pytest.raises(Invalid) as refused:
        list(members(Drops(text), is_opened=lambda path: len(path) < 1))
    assert refused.value.field == "file"
    assert reason in refused.value.reason


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "CHUNK", 10)
    monkeypatch.setattr(json_stream, "LARGEST_VALUE", 100)
    with pytest.raises(TooLarge, match="One value is larger"):
        list(members(io.StringIO(json.dumps(["x" * 500])), is_opened=lambda path: path == ()))
    monkeypatch.setattr(json_stream, "LARGEST_FILE", 50)
    with pytest.raises(TooLarge, match="The file is larger"):
        list(members(io.StringIO(json.dumps(list(range(100)))), is_opened=lambda path: path == ()))
