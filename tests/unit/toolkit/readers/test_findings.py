"""Look-ups, exact numbers, and what becomes of values that cannot be."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid
from weighbridge.readers import findings as module
from weighbridge.readers.fields import Fields, number_of, printable, scaled, shown
from weighbridge.readers.findings import Findings, Sample
from weighbridge.readers.imported_result import ImportStatus, ReadFile

ONE = Decimal(1)


def found():
    return Findings(reader="r", tool="T", files=(ReadFile("f.json", "sha256:0"),))


def fields(**document):
    return Fields(document, file="f.json")


def test_a_value_that_cannot_be_is_absent_with_the_reason():
    findings = found()
    findings.metric("error_rate", Decimal("1.5"), "ratio")
    findings.metric("latency_p50_ms", Decimal(-1), "ms")
    findings.metric("t.huge", Decimal("1e17"), "ms")
    findings.metric("t.none", None, "ms", reason="Not there.")
    findings.metric("t.one", ONE, "ms")
    result = findings.result()
    assert [metric.name for metric in result.metrics] == ["t.one"]
    assert {each.name: each.reason for each in result.absent} == {
        "error_rate": "The stated number is above 1, the most that is possible.",
        "latency_p50_ms": "The stated number is below 0, the least that is possible.",
        "t.huge": "The stated number is outside the range that is stored, 1e-30 to 1e16.",
        "t.none": "Not there.",
    }


@pytest.mark.parametrize(
    "sample",
    [
        Sample(lower=Decimal(2), upper=Decimal(3), confidence=Decimal("0.9")),
        Sample(upper=Decimal("0.5"), confidence=Decimal("0.9")),
        Sample(lower=Decimal("0.5")),
        Sample(lower=Decimal("0.5"), confidence=ONE),
        Sample(lower=Decimal("1e-40"), confidence=Decimal("0.9")),
    ],
)
def test_bounds_that_cannot_be_are_left_out(sample):
    findings = found()
    findings.metric("t.one", ONE, "ms", sample)
    result = findings.result()
    assert (result.metrics[0].lower, result.metrics[0].upper, result.metrics[0].confidence) == (None, None, None)
    assert result.absent[0].name == "t.one interval"


def test_one_bound_is_enough():
    findings = found()
    findings.metric("t.one", ONE, "ms", Sample(lower=Decimal(0), confidence=Decimal("0.9")))
    assert findings.result().metrics[0].lower == 0


def test_a_result_needs_metrics_with_names_of_their_own(monkeypatch):
    with pytest.raises(Invalid, match=r"f\.json has no metric that can be taken"):
        found().result()
    findings = found()
    findings.metric("t.one", ONE, "ms")
    with pytest.raises(Invalid, match=r"f\.json states t\.one twice"):
        findings.metric("t.one", ONE, "ms")
    monkeypatch.setattr(module, "METRICS_MAX", 1)
    with pytest.raises(Invalid, match="more than 1 metrics"):
        findings.metric("t.two", ONE, "ms")


def test_conditions_and_doubts_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "CONDITIONS_MAX", 1)
    monkeypatch.setattr(module, "DOUBTS_MAX", 1)
    findings = found()
    findings.metric("t.one", ONE, "ms")
    for name in ("a", "b"):
        findings.condition(name, 1)
        findings.doubt(ImportStatus.INDICATIVE, name)
    findings.condition("empty", None)
    result = findings.result()
    assert (result.conditions, len(result.verdict.doubts)) == ({"a": "1"}, 1)
    assert result.absent[0].reason == "The files have more than 1 settings; the others were left out."
    monkeypatch.setattr(module, "ABSENT_MAX", 1)
    findings.absent("c", "None.")
    assert [each.name for each in findings.result().absent] == ["conditions", "others"]


@pytest.mark.parametrize(("failed", "status"), [(0, "valid"), (10, "indicative"), (11, "invalid")])
def test_more_than_one_failed_request_in_a_hundred_is_invalid(failed, status):
    findings = found()
    findings.requests(n=1_000 - failed, failed=failed)
    result = findings.result()
    assert (result.verdict.status, result.metrics[0].value) == (status, Decimal(failed) / 1000)


def test_no_request_at_all_has_no_error_rate():
    findings = found()
    findings.requests(n=0, failed=0)
    with pytest.raises(Invalid):
        findings.result()


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (lambda each: each.inside("k"), 1, "k must be an object"),
        (lambda each: each.list("k"), {}, "k must be a list"),
        (lambda each: each.entries("k"), [1], r"k\[0\] must be an object"),
        (lambda each: each.text("k"), 1, "k must be text"),
        (lambda each: each.flag("k"), 1, "k must be true or false"),
        (lambda each: each.number("k"), True, "k must be a number"),
        (lambda each: each.number("k"), "1", "k must be a number"),
        (lambda each: each.count("k"), Decimal("1.5"), "k must be a whole number"),
        (lambda each: each.count("k"), -1, "k must be a whole number"),
        (lambda each: each.count("k"), Decimal("1e300"), "k must be a whole number"),
        (lambda each: each.moment("k"), "yesterday", "k must be a time like"),
        (lambda each: each.unix_moment("k"), Decimal("1e300"), "k must be a number of seconds since 1970"),
    ],
)
def test_another_type_is_refused_by_its_path(read, value, sentence):
    with pytest.raises(Invalid, match=rf"f\.json cannot be read: {sentence}"):
        read(fields(k=value))


def test_what_is_missing_is_none():
    empty = fields(blank=" ", naive="2026-01-01T00:00:00")
    assert empty.text("k") is empty.flag("k") is empty.number("k") is empty.count("k") is empty.moment("k") is None
    assert (empty.text("blank"), empty.moment("naive"), empty.unix_moment("k")) == (None, None, None)
    assert (empty.list("k"), empty.entries("k"), empty.inside("a", "b").names) == ([], (), ())
    with pytest.raises(Invalid, match="the document must be an object"):
        Fields([], file="f.json")


def test_what_is_there_is_read():
    read = fields(t=" a\nb ", n=Decimal("0.10"), c=Decimal("30.0"), m="2026-01-01T02:00:00+02:00", u=1_000)
    assert (read.text("t"), str(read.number("n")), read.count("c")) == ("a b", "0.10", 30)
    assert read.moment("m") == datetime(2026, 1, 1, tzinfo=UTC)
    assert read.unix_moment("u", per_s=1000) == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_settings_become_text():
    assert [shown(value) for value in (None, True, 3, Decimal("1.50"), [1, "a", [2], {}, 4], {"a": 1})] == [
        *("", "true", "3", "1.50", "1, a, 4", "")
    ]


@given(st.text(max_size=2_000))
def test_text_is_one_printable_line(text):
    line = printable(text, 50)
    assert len(line) <= 50
    assert line == line.strip()
    assert is_storable(line)
    assert not any(each in line for each in "\n\r\t\x00\x1b\u202e\u200b\u2028")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**9), max_value=10**9))
def test_scaling_is_exact(number):
    assert scaled(scaled(number, 3), -3) == number
    assert scaled(number, -6) * 10**6 == number
    assert "E" not in str(scaled(number, 9))
    assert scaled(None, 3) is None


@given(st.text(max_size=120))
def test_a_number_is_finite_or_refused(text):
    with contextlib.suppress(Invalid):
        number = number_of(text, file="f", name="n")
        assert number.is_finite()
        assert number == Decimal(text.strip())


@pytest.mark.parametrize("text", ["nan", "-inf", "1e999999", "9" * 101, "\u0661", "1_0", ""])
def test_no_number(text):
    with pytest.raises(Invalid):
        number_of(text, file="f", name="n")
