import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.canonical import canonical_bytes, canonical_json, digest_of, is_digest, plain
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [None, True, "é"]}, '{"a":[null,true,"é"],"b":1}'),
        (Decimal("1.50"), '"1.50"'),
        (1000.0, "1000"),
        (-0.0, "0"),
        (0.1, "0.1"),
        ({"b", "a"}, '["a","b"]'),
        (("x", "y"), '["x","y"]'),
        (Basis.MEASURED, '"measured"'),
        (date(2026, 10, 5), '"2026-10-05"'),
        (datetime(2026, 10, 5, 14, tzinfo=timezone(timedelta(hours=2))), '"2026-10-05T12:00:00Z"'),
        (datetime(2026, 10, 5, 12, 0, 0, 5, tzinfo=UTC), '"2026-10-05T12:00:00.000005Z"'),
        (UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
    ],
)
def test_every_kind_of_value_has_one_spelling(value, text):
    assert canonical_json(value) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
        (datetime(2026, 10, 5), "without a time zone"),  # noqa: DTZ001 -- the refusal of naive times is the point
        ({1: "x"}, "the key 1"),
        (b"bytes", "a bytes"),
        (object(), "a object"),
    ],
)
def test_what_has_no_form_is_refused_in_words(value, words):
    with pytest.raises(Invalid, match=words):
        canonical_json([value])


def test_text_that_utf8_cannot_carry_is_refused():
    with pytest.raises(Invalid, match="valid Unicode"):
        canonical_bytes("\ud800")


def test_digest_is_sha256_of_the_bytes():
    assert digest_of({"a": 1}) == "sha256:" + hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sha256:" + "0a" * 32, True),
        ("sha256:" + "0A" * 32, False),
        ("sha256:" + "0a" * 31, False),
        ("sha512:" + "0a" * 32, False),
        ("sha256:" + "0g" * 32, False),
        ("", False),
    ],
)
def test_is_digest(text, expected):
    assert is_digest(text) is expected


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_a_round_trip_through_json_changes_nothing(value):
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text
    assert canonical_json(plain(value)) == text
