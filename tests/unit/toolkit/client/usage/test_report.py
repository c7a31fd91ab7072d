"""Usage reports: what they hold, what is refused, and sums that lose nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.client.usage import report as usage
from weighbridge.client.usage.report import UsageLine, UsageReport, line_of, read_usage, summed
from weighbridge.core.errors import Invalid

DIGEST = "sha256:" + "a" * 64
LINE = {"day": "2026-11-01", "model": "openai/gpt-5-mini", "requests": 2, "input_tokens": 9, "output_tokens": 1}
FULL = LINE | {"cached_tokens": 4, "usd": "0.000125"}


def document(*lines, **changes):
    return {"gateway": "litellm-eu", "environment": "prod", "lines": list(lines or [LINE])} | changes


def test_a_report_comes_back_as_it_was():
    report = read_usage(document(FULL, {**LINE, "model": "", "digest": DIGEST, "day": date(2026, 11, 2)}))
    first, second = report.lines
    assert (first.cached_tokens, first.usd, second.digest, second.usd) == (4, Decimal("0.000125"), DIGEST, None)
    assert report.days == (date(2026, 11, 1), date(2026, 11, 2))
    assert read_usage(report.as_document()) == report
    turned = UsageReport(gateway="x", environment="dev", lines=report.lines[::-1])
    assert turned.digest == report.digest


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": ""}, "lines[0].model"),
        ({"digest": DIGEST}, "lines[0].model"),
        ({"model": "a b"}, "lines[0].model"),
        ({"model": "a" * 201}, "lines[0].model"),
        ({"model": "", "digest": "sha256:1"}, "lines[0].digest"),
        ({"requests": -1}, "lines[0].requests"),
        ({"requests": None}, "lines[0].requests"),
        ({"input_tokens": 10**15 + 1}, "lines[0].input_tokens"),
        ({"output_tokens": 1.5}, "lines[0].output_tokens"),
        ({"cached_tokens": 10}, "lines[0].cached_tokens"),
        ({"usd": -1}, "lines[0].usd"),
        ({"usd": "1e10"}, "lines[0].usd"),
        ({"usd": "0.0000000000001"}, "lines[0].usd"),
        ({"usd": "much"}, "lines[0].usd"),
        ({"day": "2026-13-01"}, "lines[0].day"),
        ({"team": "a"}, "lines[0].team"),
    ],
)
def test_a_line_that_cannot_be_is_refused(change, field):
    with pytest.raises(Invalid) as refusal:
        read_usage(document(LINE | change))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (document(gateway="-"), "gateway"),
        (document(lines=[]), "lines"),
        (document(lines="x"), "lines"),
        (document(lines=5), "lines"),
        (document(LINE, LINE), "lines[1].day"),
        (document(note="x"), "note"),
        ([], None),
    ],
)
def test_a_report_that_cannot_be_is_refused(given, field):
    with pytest.raises(Invalid) as refusal:
        read_usage(given)
    assert refusal.value.field == field


def test_too_many_lines_are_refused_before_they_are_read(monkeypatch):
    monkeypatch.setattr(usage, "MOST_LINES", 2)
    with pytest.raises(Invalid, match="has 3 lines; the limit is 2") as refusal:
        read_usage(document(5, 5, 5))
    assert refusal.value.code == "too_many"
    lines = [line_of({**LINE, "model": f"m{number}"}, place="row 1") for number in range(3)]
    with pytest.raises(Invalid, match="Report fewer days"):
        summed(lines)
    with pytest.raises(Invalid, match="row 7: requests is missing"):
        line_of({"model": "a"}, place="row 7")


COUNTS = st.integers(0, 10**9)
LINES = st.lists(
    st.builds(
        UsageLine,
        day=st.integers(0, 3).map(lambda days: date(2026, 11, 1) + timedelta(days=days)),
        model=st.sampled_from(["openai/a", "openai/b"]),
        requests=COUNTS,
        input_tokens=COUNTS,
        cached_tokens=COUNTS,
        output_tokens=COUNTS,
        usd=st.none() | st.decimals(0, 1000, places=6),
    ),
    max_size=30,
)


@given(LINES)
def test_sums_lose_no_token_and_no_unknown_amount(lines):
    sums = summed(lines)
    for name in ("requests", "input_tokens", "cached_tokens", "output_tokens"):
        assert sum(getattr(line, name) for line in sums) == sum(getattr(line, name) for line in lines)
    assert len({line.key for line in sums}) == len(sums)
    for line in sums:
        parts = [each.usd for each in lines if each.key == line.key]
        assert line.usd == (None if None in parts else sum(parts))
