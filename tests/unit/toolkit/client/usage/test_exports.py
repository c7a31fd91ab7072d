"""Exports of gateways and providers: each of them gives the same lines, and says what cannot be read."""

import io
import json
from datetime import date
from decimal import Decimal

import pytest

from weighbridge.client.usage import exports
from weighbridge.client.usage.exports import read_export
from weighbridge.client.usage.report import UsageLine
from weighbridge.core.errors import Invalid, TooLarge

EXPECTED = (
    UsageLine(
        day=date(2026, 11, 1),
        model="openai/gpt-5-mini",
        requests=2,
        input_tokens=2400,
        cached_tokens=800,
        output_tokens=500,
        usd=Decimal("0.00166"),
    ),
    UsageLine(
        day=date(2026, 11, 2), model="openai/gpt-5-mini", requests=1, input_tokens=7, output_tokens=3, usd=Decimal(0)
    ),
)
PLAIN = """day,model,requests,input_tokens,cached_tokens,output_tokens,usd
2026-11-01,openai/gpt-5-mini,1,1200,800,250,0.00062
2026-11-02,openai/gpt-5-mini,1,7,,3,0
2026-11-01,openai/gpt-5-mini,1,1200,0,250,0.00104
"""
CACHED = {"usage_object": {"prompt_tokens_details": {"cached_tokens": 800}}}
SPEND_LOGS = [
    {
        "request_id": "1",
        "startTime": "2026-11-01T23:30:00-01:00",
        "model": "gpt-5-mini",
        "custom_llm_provider": "openai",
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "spend": 0.0,
        "metadata": None,
    },
    {
        "startTime": "2026-11-01T08:00:00.123000",
        "model": "openai/gpt-5-mini",
        "custom_llm_provider": "openai",
        "prompt_tokens": 1200,
        "completion_tokens": 250,
        "spend": 0.00062,
        "metadata": CACHED,
    },
    {
        "startTime": "2026-11-01T09:00:00+00:00",
        "model": "openai/gpt-5-mini",
        "prompt_tokens": 1200,
        "completion_tokens": 250,
        "spend": "1.04E-3",
        "metadata": {"usage_object": {"cache_read_input_tokens": 0}},
    },
]


def bucket(start, *results):
    return {"object": "bucket", "start_time": start, "end_time": start + 86400, "results": list(results)}


def result(**changes):
    return {
        "object": "organization.usage.completions.result",
        "model": "gpt-5-mini",
        "num_model_requests": 2,
        "input_tokens": 2400,
        "input_cached_tokens": 800,
        "output_tokens": 500,
    } | changes


def csv_of(rows):
    names = list(rows[1])
    lines = [",".join(names)]
    for row in rows:
        cells = (row.get(name, "") for name in names)
        texts = (json.dumps(cell) if isinstance(cell, dict) else ("" if cell is None else str(cell)) for cell in cells)
        lines.append(",".join('"' + text.replace('"', '""') + '"' for text in texts))
    return "\n".join(lines)


def lines_of(content, *, is_csv=False):
    text = content if isinstance(content, str) else json.dumps(content)
    return read_export(io.StringIO(text, newline=""), is_csv=is_csv)


def test_a_plain_list_is_summed_by_day_and_model():
    assert lines_of(PLAIN, is_csv=True) == EXPECTED
    digest = "sha256:" + "a" * 64
    (line,) = lines_of(f"day,digest,requests,input_tokens,output_tokens\n2026-11-01,{digest},1,2,3\n", is_csv=True)
    assert (line.digest, line.model, line.usd) == (digest, "", None)


@pytest.mark.parametrize("content", [SPEND_LOGS, {"data": SPEND_LOGS, "total": 3}], ids=["list", "page"])
def test_spend_logs_are_summed(content):
    assert lines_of(content) == EXPECTED
    assert lines_of(csv_of(SPEND_LOGS), is_csv=True) == EXPECTED


def test_pages_of_a_provider_have_tokens_and_no_money():
    later = result(num_model_requests=1, input_tokens=7, output_tokens=3, input_cached_tokens=0)
    buckets = [bucket(1793491200, result()), bucket(1793577600, later)]
    page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
    expected = [(line.day, line.requests, line.input_tokens, line.cached_tokens) for line in EXPECTED]
    for content in (page, [page], buckets):
        lines = lines_of(content)
        assert [(line.day, line.requests, line.input_tokens, line.cached_tokens) for line in lines] == expected
        assert {(line.model, line.usd) for line in lines} == {("openai/gpt-5-mini", None)}


@pytest.mark.parametrize(
    ("content", "is_csv", "why"),
    [
        ("", True, "The file must be a CSV"),
        ("a,b\n1,2\n", True, "The file must be a CSV"),
        ("day,model\n", True, "The file has no usage"),
        ("day,model,requests,input_tokens,output_tokens\n2026-11-01,a,1,2,3,4\n", True, "Row 2 of the CSV has more"),
        ("day,model,requests,input_tokens,output_tokens\n2026-11-01,a,1,x,3\n", True, "row 2: input_tokens must be"),
        ("day,model,requests,input_tokens,output_tokens\n2026-11-01,a,1,2,\n", True, "row 2: output_tokens is missing"),
        ('day\n"', True, "The CSV cannot be read"),
        ([], False, "The file has no usage"),
        ("5", False, "The file has no usage"),
        ([[]], False, "0 is no usage"),
        ([{"a": 1}], False, "0 is no usage"),
        ("{", False, "is"),
        ([SPEND_LOGS[0] | {"startTime": "soon"}], False, "0: startTime must be a time"),
        ([SPEND_LOGS[0] | {"spend": "much"}], False, "0: spend must be a number"),
        ([SPEND_LOGS[0] | {"prompt_tokens": 1.5}], False, "0: prompt_tokens must be a whole number"),
        ([SPEND_LOGS[0] | {"model": "a b"}], False, "0: model must be a name"),
        ([SPEND_LOGS[0] | {"metadata": "{"}], False, "0, metadata"),
        ({"data": [{"object": "bucket"}]}, False, "data.0 is no bucket"),
        ({"data": [bucket(0, result(model=None))]}, False, r"data.0.results\[0\] names no model"),
        ({"data": [bucket(10**20, result())]}, False, "start_time must be a time"),
        ([{"object": "page", "data": [5]}], False, r"0.data\[0\] is no bucket"),
    ],
)
def test_what_is_no_usage_says_where(content, is_csv, why):
    with pytest.raises(Invalid, match=why):
        lines_of(content, is_csv=is_csv)


def test_a_failed_request_without_a_model_is_counted_and_named_unknown():
    (line,) = lines_of([SPEND_LOGS[0] | {"model": "", "custom_llm_provider": "", "spend": None}])
    assert (line.model, line.usd, line.requests) == ("unknown", None, 1)


def test_more_rows_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(exports, "MOST_ROWS", 2)
    with pytest.raises(TooLarge, match="more than 2 rows"):
        lines_of(PLAIN, is_csv=True)


@pytest.mark.parametrize("is_csv", [True, False])
def test_a_file_that_is_no_text_is_refused(is_csv):
    stream = io.TextIOWrapper(io.BytesIO(b"day\n\xff\xff"), encoding="utf-8")
    with pytest.raises(Invalid):
        read_export(stream, is_csv=is_csv)
