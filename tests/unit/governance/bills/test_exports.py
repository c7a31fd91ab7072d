"""Exports of providers and gateways: each in its documented shape, as lines of tokens; refusals by file and by row."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest

from governance.bills.domain.file_kind import FileKind, UnpackLimits
from governance.bills.domain.pipeline import BillFile, read_bill, sniff
from governance.bills.domain.usage.exports import PROGRESS_ROWS, Export, check_start, convert_export
from governance.bills.domain.usage.focus_rows import less, number
from governance.bills.domain.usage.records import LINE_BYTES_MAX, records_in, text_at
from tests.factories.bills import written
from weighbridge.core.errors import Invalid, TooLarge

SEPTEMBER_3 = 1788393600  # 2026-09-03T00:00:00Z
AT = {"start_time": SEPTEMBER_3, "end_time": SEPTEMBER_3 + 86_400}
USAGE = {
    "object": "organization.usage.completions.result",
    "input_tokens": 1000,
    "input_cached_tokens": 800,
    "output_tokens": 500,
    "num_model_requests": 5,
    "project_id": "proj-1",
    "model": "gpt-5-mini-2025-08-07",
}


def cost(item, value):
    return {"amount": {"value": value, "currency": "usd"}, "line_item": item, "project_id": "proj-1"}


def page(*results):
    return {"object": "page", "data": [{"object": "bucket", **AT, "results": list(results)}], "has_more": False}


def lines_of(folder, content, kind, name="export.jsonl"):
    data = content if isinstance(content, bytes) else "\n".join(json.dumps(each) for each in content).encode()
    order = BillFile(name=name, kind=kind, cluster="org-1")
    path = written(folder, data, name)
    sniff(path, order)
    gathered, report = read_bill(path, order, folder=folder, caps=UnpackLimits(), on_share=lambda *_: None)
    fields = ("model", "direction", "cache_action", "tokens", "effective", "model_requests")
    lines = gathered.lines.sort("model", "direction", "cache_action", "effective")
    return [tuple(line[field] for field in fields) for line in lines.iter_rows(named=True)], gathered, report


def test_usage_and_costs_of_openai_meet_in_one_line(tmp_path):
    model = USAGE["model"]
    costs = page(
        cost(f"{model}, input", 0.00005),
        cost(f"{model}, cached input", 0.00002),
        cost(f"{model}, output", 0.001),
        cost("web search tool calls", 0.5),
    )
    lines, gathered, report = lines_of(tmp_path, [page(USAGE), costs], "openai")
    assert lines == [
        ("", "", "", 0, Decimal("0.5"), 0),
        (model, "input", "read", 800, Decimal("0.00002"), 0),
        (model, "input", "uncached", 200, Decimal("0.00005"), 0),
        (model, "output", "uncached", 500, Decimal("0.001"), 5),
    ]
    (one,) = gathered.slices
    assert (str(one), report["format"], set(gathered.lines["subaccount"])) == (
        "OpenAI org-1, 2026-09",
        "openai",
        {"proj-1"},
    )
    assert set(gathered.lines["snapshot"]) == {"", "2025-08-07"}


def test_the_same_as_one_document_as_a_table_and_compressed(tmp_path):
    lines, *_ = lines_of(tmp_path, json.dumps(page(USAGE), indent=1).encode(), "openai", "usage.json")
    names = ["start_time", "model", "input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerow(AT | USAGE)
    table = stream.getvalue().encode()
    assert lines_of(tmp_path, table, "openai", "usage.csv")[0] == lines
    assert lines_of(tmp_path, gzip.compress(table), "openai", "usage.csv.gz")[0] == lines
    assert len(lines) == 3


def test_usage_and_costs_of_anthropic_with_amounts_in_cents(tmp_path):
    bucket = {"starting_at": "2026-09-03T00:00:00Z", "ending_at": "2026-09-04T00:00:00Z"}
    usage = {"uncached_input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 50, "model": "claude-x-1"}
    usage["cache_creation"] = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20}
    named = {"currency": "USD", "cost_type": "tokens", "model": "claude-x-1"}
    costs = [named | {"amount": "123.45", "token_type": "output_tokens"}]
    costs.append({"currency": "USD", "amount": "100", "cost_type": "web_search", "description": "Web search"})
    plain = {"uncached_input_tokens": 0, "output_tokens": 0, "model": "claude-x-1"}
    content = [{"data": [{**bucket, "results": [usage, plain]}]}, {"data": [{**bucket, "results": costs}]}]
    lines, gathered, _ = lines_of(tmp_path, content, "anthropic")
    assert [line[1:5] for line in lines] == [
        ("", "", 0, Decimal(1)),
        ("input", "read", 900, 0),
        ("input", "uncached", 100, 0),
        ("input", "write", 20, 0),
        ("input", "write", 30, 0),
        ("output", "uncached", 50, Decimal("1.2345")),
    ]
    assert gathered.lines["tokens"].sum() == 1100


def test_spend_logs_of_litellm_keep_apart_what_they_do_not_split(tmp_path):
    log = {"startTime": "2026-09-03T10:00:00+00:00", "model": "gpt-x", "custom_llm_provider": "openai", "team_id": "t"}
    log |= {"prompt_tokens": 100, "completion_tokens": 20, "spend": 0.0012}
    split = {"cost_breakdown": {"input_cost": 0.0004, "output_cost": 0.0007}}
    cached = {"usage_object": {"prompt_tokens_details": {"cached_tokens": 60}}}
    failed = log | {"status": "failure", "spend": 0, "prompt_tokens": 0, "completion_tokens": 0}
    rows = [log | {"metadata": split | cached}, log | {"metadata": json.dumps(split)}, log, failed]
    lines, *_ = lines_of(tmp_path, rows, "litellm")
    assert lines == [
        ("", "", "", 0, Decimal("0.0014"), 0),
        ("gpt-x", "input", "other", 100, Decimal("0.0004"), 0),
        ("gpt-x", "input", "uncached", 200, Decimal("0.0004"), 0),
        ("gpt-x", "output", "uncached", 60, Decimal("0.0014"), 3),
    ]


def inference(**changes):
    return {
        "properties": {"modelName": "Qwen/Qwen3-32B", "namespace": "llm"},
        "window": {"start": "2026-09-01T00:00:00Z", "end": "2026-10-01T00:00:00Z"},
        "costBasis": "allocation",
        "totalCost": 42.6,
        "promptTokens": 12_000_000,
        "generationTokens": 3_000_000,
        "inputCost": 28.4,
        "outputCost": 14.1,
        "inputCostPerMillionTokens": 2.37,
        "outputCostPerMillionTokens": 4.7,
    } | changes


def test_units_of_opencost_are_taken_over_with_their_remainder(tmp_path):
    total = {"data": {"inferenceCosts": {"a": inference()}, "window": {}}}
    lines, gathered, _ = lines_of(tmp_path, [total], "opencost")
    assert lines == [
        ("", "", "", 0, Decimal("0.1"), 0),
        ("Qwen/Qwen3-32B", "input", "other", 12_000_000, Decimal("28.4"), 0),
        ("Qwen/Qwen3-32B", "output", "uncached", 3_000_000, Decimal("14.1"), 0),
    ]
    assert sorted(gathered.lines["remainder"]) == [Decimal("-0.04"), 0, 0]
    series = {"data": {"inferenceCostSets": [{"inferenceCosts": {"a": inference(totalCost=42.5)}}, 1]}}
    assert [line[1] for line in lines_of(tmp_path, [series], "opencost")[0]] == ["input", "output"]
    assert len(lines_of(tmp_path, [inference(window={"start": "x", "end": ""}), inference()], "opencost")[0]) == 3


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        ([inference(costBasis="usage")], "opencost", "cost_basis"),
        (
            [inference(window={"start": "2026-09-20T00:00:00Z", "end": "2026-10-02T00:00:00Z"})],
            "opencost",
            "crosses_months",
        ),
        ([page(USAGE)], "anthropic", "columns"),
        ([{"data": [1]}], "openai", "columns"),
        (b"[1", "openai", "damaged"),
        (b'{"start_time": 1}\n{"a', "openai", "columns"),
        (json.dumps(AT | USAGE).encode() + b"\n{", "openai", "damaged"),
        (json.dumps(AT | USAGE).encode() + b'\n"' + b"x" * LINE_BYTES_MAX + b'"', "openai", "damaged"),
        (b"a,b\n1,2\n", "litellm", "columns"),
        (b"startTime,model,prompt_tokens,completion_tokens,spend\n\xff,,,,\n", "litellm", "damaged"),
        (b"PAR1xxxxxxxxxPAR1", "openai", "mislabeled"),
    ],
)
def test_what_is_no_such_export_is_refused(tmp_path, content, kind, code):
    with pytest.raises(Invalid) as caught:
        lines_of(tmp_path, content, kind, "export")
    assert (caught.value.code, caught.value.field) == (code, "file")


def test_figures_that_are_no_numbers_are_refused_by_row_and_the_others_count(tmp_path):
    bad = USAGE | {"input_tokens": "many"}
    lines, _, report = lines_of(tmp_path, [page(USAGE, bad)], "openai")
    assert (len(lines), report["refused"][0]["check"], report["refused"][0]["rows"]) == (3, "figure_unreadable", 1)
    assert (less("x", "1"), less("1", "nan"), number("inf"), less("1", "")) == ("x", "nan", None, "1")
    assert text_at({"a": {"b": ""}, "c": 1}, "a.b", "a.x.y", "c") == "1"
    rows = [{"starting_at": "never", "amount": "one"}]
    with pytest.raises(Invalid, match="None of the 1 rows"):
        lines_of(tmp_path, rows, "anthropic")
    with pytest.raises(Invalid, match="None of the 2 rows"):
        lines_of(tmp_path, [inference(promptTokens="x", generationTokens="y", totalCost=42.5)], "opencost")


def test_limits_and_progress(tmp_path):
    many = [AT | USAGE | {"input_cached_tokens": 0}] * (PROGRESS_ROWS // 2)
    path = written(tmp_path, "\n".join(map(json.dumps, many)).encode() + b"\n\n", "m.jsonl")
    heard = []
    target = tmp_path / "out.csv"
    options = {"export": Export.OPENAI, "account": "a"}
    convert_export(path, target, rows_max=PROGRESS_ROWS, on_rows=heard.append, **options)
    assert heard == [PROGRESS_ROWS]
    with pytest.raises(TooLarge, match="more than the 10 rows"):
        convert_export(path, target, rows_max=10, on_rows=heard.append, **options)
    broken = written(tmp_path, b"\x1f\x8b", "x.gz")
    with pytest.raises(Invalid, match="gzip file is damaged"):
        check_start(broken, kind=FileKind.GZIP, export=Export.OPENAI)
    assert len(list(records_in(path))) == PROGRESS_ROWS // 2
