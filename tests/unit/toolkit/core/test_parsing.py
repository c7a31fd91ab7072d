"""The strict readers of JSON and YAML: what they take exactly, and what each limit refuses."""

import contextlib
import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.canonical import canonical_json
from weighbridge.core.documents import cleaned, is_storable
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.parsing import json_text
from weighbridge.core.parsing.json_text import parse_json, parse_object, read_json
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.core.parsing.yaml_text import parse_yaml, read_yaml

SMALL = DocumentLimits(bytes_max=1_000, depth_max=4, values_max=20)
TEXTS = st.text().filter(is_storable)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert parse_json(text) == json.loads(text)
    assert parse_json(text.encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode("utf-8-sig")) == value


@given(st.binary(max_size=60) | st.text(st.characters(exclude_categories=()), max_size=60))
def test_nothing_but_a_refusal_leaves_the_readers(content: bytes | str) -> None:
    text = content if isinstance(content, str) else content.decode("latin-1")
    for read, given_ in ((parse_json, content), (parse_yaml, text)):
        with contextlib.suppress(Invalid):
            assert is_storable(str(read(given_)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[1] 2", "Extra data"),
        (b"\xff", "it is not text in UTF-8"),
        ('"\ud800"', "a text contains a character that cannot be stored"),
        ('"a\\u0000"', "a text contains a character that cannot be stored"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' occurs twice"),
        ("[NaN]", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("1e999", "the number 1e999 is too large"),
        ("-1e400", "the number -1e400 is too large"),
        ("9" * 51, "a number has more than 50 digits"),
        ("9" * 400 + ".5", "is too large"),
        ("[[[[[]]]]]", "it is nested deeper than 4 levels"),
        ('{"a": ' * 5 + "1" + "}" * 5, "it is nested deeper than 4 levels"),
        ("[" + "1," * 20 + "1]", "it has more than 20 values"),
        ("[" + "[]," * 10 + "[]]", "it has more than 20 values"),
    ],
)
def test_what_json_is_refused_for(text: str | bytes, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_json(text, name="The body", field="body", code="odd", limits=SMALL)
    assert refused.value.reason.startswith("The body is not valid JSON: ")
    assert reason in refused.value.reason
    assert (refused.value.field, refused.value.code) == ("body", "odd")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": [1, {"b": "\\u0000"}]}', "a[1].b"),
        ('{"a": {"b\\uD800": 1}}', "a"),
        ('{"a": "\ud800"}', "a"),
        ('{"\\u0000": 1}', None),
    ],
)
def test_the_place_of_a_text_that_cannot_be_stored_is_named(text: str, field: str | None) -> None:
    with pytest.raises(Invalid, match=r"is not valid JSON: .* contains a character that cannot be stored") as refused:
        parse_json(text)
    assert refused.value.field == field


def test_the_limits_are_taken_to_the_last() -> None:
    for text in ("[[[[]]]]", "[" + "1," * 18 + "1]", "9" * 50, "-" + "9" * 50, "1" + "0" * 48 + ".5e200", "9" * 1_000):
        value = parse_json(text, limits=SMALL) if len(text) < 1_000 else None
        assert value == (json.loads(text) if len(text) < 1_000 else None)
    assert parse_json('"[[[[[[,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"', limits=SMALL).startswith("[[[[[[,")
    assert parse_json('["\\"[[[[[[", "\\\\", "]"]', limits=SMALL) == ['"[[[[[[', "\\", "]"]


def test_too_many_bytes_are_not_read() -> None:
    for call in (parse_json, parse_yaml):
        with pytest.raises(TooLarge, match="larger than the 1,000 bytes allowed") as refused:
            call(" " * 1_001, limits=SMALL, field="file")
        assert refused.value.field == "file"


@pytest.mark.parametrize(
    "text",
    [
        '{"' + '\\"' * 1_000_000,
        '"\\' * 1_000_000,
        "[" * 3_000_000,
        '{"a":' * 600_000,
        '[["' + "[" * 3_000_000,
        "9" * 3_999_999,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(Invalid):
        parse_json(text)
    assert time.monotonic() - began_s < 5


def test_numbers_are_exact_on_request() -> None:
    assert parse_json("[0.1, 1e2, 7, -1.50]", number=Decimal) == [Decimal("0.1"), Decimal("1e2"), 7, Decimal("-1.50")]
    for odd in ("1e999999999", "1e-401", "0." + "1" * 51, "0.1e400004720999999999999", "1e" + "9" * 40):
        with pytest.raises(Invalid, match="too long or too large"):
            parse_json(odd, number=Decimal)


def test_cleaning_replaces_what_cannot_be_stored() -> None:
    assert parse_json('{"a\\u0000": ["\\ud800x", 1, {"b": null}]}', is_cleaning=True) == {
        "a\ufffd": ["\ufffdx", 1, {"b": None}]
    }
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 20))
def test_cleaned_text_can_be_stored(text: str, chars_max: int) -> None:
    clean = cleaned(text)
    assert (is_storable(clean), len(clean)) == (True, len(text))
    short = cleaned(text, chars_max=chars_max)
    assert short == clean if len(text) <= chars_max else short == f"{clean[: chars_max - 1]}…"


def test_an_object(tmp_path) -> None:
    assert parse_object('{"a": 1}') == {"a": 1}
    with pytest.raises(Invalid, match=r"The body is not a JSON object\.") as refused:
        parse_object("[]", name="The body", code="odd", field="x")
    assert (refused.value.code, refused.value.field) == ("odd", "x")


def test_files_are_read_under_the_same_limits(tmp_path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(Invalid, match=r"a\.json cannot be read") as refused:
        read_json(path, missing="no_file")
    assert (refused.value.code, refused.value.field) == ("no_file", "file")
    path.write_text("{")
    with pytest.raises(Invalid, match=r"a\.json is not valid JSON") as refused:
        read_json(path, code="odd")
    assert refused.value.code == "odd"
    path.write_bytes(b" " * 1_001)
    with pytest.raises(TooLarge):
        read_json(path, limits=SMALL)
    with pytest.raises(TooLarge):
        read_yaml(path, limits=SMALL)
    path.write_text('{"a": 0.10}')
    assert read_json(path, number=Decimal) == {"a": Decimal("0.10")}
    assert read_yaml(path) == {"a": 0.1}
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match=r"a\.json is not text in UTF-8"):
        read_yaml(path)


def test_the_decoder_can_be_used_piece_by_piece() -> None:
    assert json_text.decoder(Decimal).raw_decode('{"a": 1.5} rest') == ({"a": Decimal("1.5")}, 10)


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 120))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "did not find expected node content"),
        ("a: 1\nb: 2\na: 3", "the key 'a' occurs twice (line 3)"),
        ("x: &o {a: 1}\ny: {<<: *o, <<: *o}", "the key '<<' occurs twice (line 2)"),
        ("1: a\n'1': b", "the key '1' occurs twice (line 2)"),
        ("? [a]\n: b", "a key must be text (line 1)"),
        ("? &k a\n: b\n? *k\n: c", "a key must be text (line 3)"),
        ("a: &x [*x]", "*x refers to a part that is not complete (line 1)"),
        ("a: &x {b: {c: *x}}", "*x refers to a part that is not complete (line 1)"),
        ("a: *b", "*b refers to a part that is not complete (line 1)"),
        (BOMB, "it has more than 1,000,000 values"),
        (CHAIN, "it is nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "it is nested deeper than 100 levels"),
        ("- " * 20_000, "it is nested deeper than 100 levels"),
        ("{" * 5_000, "exceeded maximum nesting depth"),
        ("[" + "a," * 1_000_001 + "]", "it has more than 1,000,000 values"),
        ("!!python/object/apply:os.system [id]", "it uses a tag; leave it out (line 1)"),
        ("a: !!timestamp x", "it uses a tag"),
        ("a: !own x", "it uses a tag"),
        ("a: .inf", ".inf is not a finite number"),
        ("a: .nan", ".nan is not a finite number"),
        ("a: 1.0e+999", "1.0e+999 is not a finite number"),
        ("a: " + "9" * 51, "a number has more than 50 digits (line 1)"),
        ("a: 0x" + "f" * 51, "a number has more than 50 digits"),
        ("a: 0b_", "invalid literal"),
        ("a: 2026-13-01", "month must be in 1..12"),
        ('a: "\\0"', "a text contains a character that cannot be stored (line 1)"),
        ("\ud800", "surrogates not allowed"),
        ("a\n---\nb", "expected a single document"),
    ],
)
def test_what_yaml_is_refused_for(text: str, reason: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(Invalid) as refused:
        parse_yaml(text, name="The policy", field="source", code="odd")
    assert refused.value.reason.startswith("The policy is not valid YAML: ")
    assert reason in refused.value.reason
    assert (refused.value.field, refused.value.code) == ("source", "odd")
    assert time.monotonic() - began_s < 30


def test_yaml_within_the_limits_is_read() -> None:
    assert parse_yaml("") is None
    assert parse_yaml("a: 1\nb: [1.5, x, {c: 2026-01-02}]\nd: '" + "9" * 60 + "'")["b"][0] == 1.5
    assert parse_yaml("x: &o {a: 1, b: 2}\ny:\n  <<: *o\n  a: 3\nz: [*o, *o]")["y"] == {"a": 3, "b": 2}
    assert parse_yaml("[" * 100 + "]" * 100) is not None
    assert parse_yaml("a: &s text\nb: *s") == {"a": "text", "b": "text"}
    with pytest.raises(Invalid, match="uses references"):
        parse_yaml("a: &s text\nb: *s", has_references=False)


def test_a_time_before_the_first_year_has_no_canonical_form() -> None:
    with pytest.raises(Invalid, match="outside the years 1 to 9999"):
        canonical_json(parse_yaml("a: 0001-01-01T00:00:00+23:59"))
