"""GuideLLM, AIPerf and GenAI-Perf: whose latency it is, failed requests, units."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import absent, changed, doubts, metric, only, sample, values
from weighbridge.core.errors import Invalid
from weighbridge.readers.findings import FROM_SENDING as SENT
from weighbridge.readers.findings import UNKNOWN_COUNT

FEW = [
    "latency_p95_ms is of 30 requests; a bound for it needs 130 or more.",
    "latency_p99_ms is of 30 requests; a bound for it needs 662 or more.",
]


def test_guidellm_states_the_latency_from_the_due_moment():
    result = only("guidellm_constant.json")
    assert (result.tool, result.tool_version, result.part) == ("GuideLLM", "0.8.1", "benchmark 1, constant")
    assert result.started_at == datetime(2026, 11, 28, 5, 39, 31, 372245, tzinfo=UTC)
    assert result.ended_at == datetime(2026, 11, 28, 5, 39, 34, 329307, tzinfo=UTC)
    assert result.model.name == "mock"
    p50 = metric(result, "latency_p50_ms")
    assert (str(p50.value), p50.n, p50.confidence) == ("61.634063720703125", 30, Decimal("0.95"))
    assert (str(p50.lower), str(p50.upper)) == ("61.19394302368164", "62.0577335357666")
    assert [share for share, _ in p50.observed] == sorted(share for share, _ in p50.observed)
    assert p50.observed[0][0] == Decimal("0.001")
    assert str(metric(result, "guidellm.latency_from_sending_p50_ms").value) == "57.562828063964844"
    assert str(metric(result, "guidellm.ttft_p50_ms").value) == "24.054527282714844"
    assert str(metric(result, "throughput_per_s").value) == "10.14520327999627"
    assert values(result)["error_rate"] == "0 ratio"
    assert result.conditions["latency_measured_from"] == "the moment the request was due"
    status, messages = doubts(result)
    assert (status, messages[:2]) == ("indicative", FEW)
    assert messages[2].startswith("GuideLLM warns: mean generation delay was 2%")


def test_guidellm_has_a_result_for_each_benchmark():
    first, second = sample("guidellm_concurrent.json")
    assert (first.conditions["streams"], second.conditions["streams"]) == ("2", "4")
    assert str(metric(first, "latency_p99_ms").value) == "60.449838638305664"
    assert first.conditions["latency_measured_from"] == "sending the request"
    assert SENT not in doubts(first)[1]


def test_guidellm_counts_failed_requests():
    result = only("guidellm_errors.json")
    assert values(result)["error_rate"] == "0.3 ratio"
    assert doubts(result)[0] == "invalid"
    assert doubts(result)[1][0] == "6 of 20 requests failed; latencies are of the answered ones only."


def test_guidellm_0_3_measures_from_sending():
    result = only("guidellm_03.json")
    assert (result.tool_version, result.model.name) == (None, "mock")
    assert str(metric(result, "latency_p50_ms").value) == "83.84180068969727"
    assert (metric(result, "throughput_per_s").n, values(result)["error_rate"]) == (30, "0 ratio")
    assert (result.conditions["strategy"], result.conditions["rate"]) == ("constant", "10.0")
    assert result.conditions["data"] == '{"prompt_tokens":32,"output_tokens":16}'
    assert doubts(result) == ("indicative", [SENT, *FEW])


def test_guidellm_without_a_strategy_is_doubted(tmp_path):
    (result,) = changed(tmp_path, "guidellm_03.json", lambda document: document["benchmarks"][0].pop("args") and None)
    assert doubts(result)[1][0] == "The report does not state how requests were scheduled."


def test_an_older_guidellm_measures_from_sending(tmp_path):
    def older(document):
        benchmark = document["benchmarks"][0]
        del benchmark["metrics"]["request_scheduled_latency"], benchmark["warnings"]
        benchmark["config"]["backend"] = "openai_http"
        benchmark["metrics"]["request_totals"]["incomplete"] = 2

    (result,) = changed(tmp_path, "guidellm_constant.json", older)
    assert str(metric(result, "latency_p50_ms").value) == "57.562828063964844"
    incomplete = "2 requests were not complete when the benchmark ended; latencies do not contain them."
    assert doubts(result) == ("indicative", [SENT, *FEW, incomplete])
    assert result.model.name is None


def test_what_guidellm_leaves_out_is_absent(tmp_path):
    def emptied(document):
        benchmark = document["benchmarks"][0]
        benchmark["metrics"]["time_to_first_token_ms"]["successful"]["count"] = 0
        del benchmark["metrics"]["request_scheduled_latency"]["successful"]["percentiles"]["p99"]
        del benchmark["metrics"]["request_totals"]
        benchmark["warnings"] = ["text", {"message": 3}]

    (result,) = changed(tmp_path, "guidellm_constant.json", emptied)
    assert absent(result)["guidellm.ttft_p50_ms"] == "No successful request has this time."
    assert absent(result)["latency_p99_ms"] == "The files do not state it."
    assert "error_rate" not in values(result)
    assert doubts(result) == ("indicative", [UNKNOWN_COUNT])


def test_aiperf_states_units_and_its_version():
    result = only("aiperf_concurrency.json")
    assert (result.reader, result.tool, result.tool_version, result.part) == ("aiperf", "AIPerf", "0.13.0", "")
    assert (result.model.name, result.started_at) == ("mock", None)
    assert absent(result)["started_at"] == "The file states no time with a time zone."
    assert values(result) == {
        "latency_p50_ms": "55.340768499999996 ms",
        "latency_p95_ms": "62.64911489999997 ms",
        "latency_p99_ms": "66.16140865999999 ms",
        "aiperf.latency_mean_ms": "56.11873706666667 ms",
        "aiperf.ttft_p50_ms": "22.398547999999998 ms",
        "aiperf.ttft_p95_ms": "28.72774599999998 ms",
        "aiperf.ttft_p99_ms": "33.3051606 ms",
        "aiperf.ttft_mean_ms": "23.149257466666665 ms",
        "aiperf.inter_token_latency_p50_ms": "4.115293125 ms",
        "aiperf.inter_token_latency_p95_ms": "4.296676768749999 ms",
        "aiperf.inter_token_latency_p99_ms": "4.327028235 ms",
        "aiperf.inter_token_latency_mean_ms": "4.12118495 ms",
        "throughput_per_s": "34.32806656726571 1/s",
        "aiperf.output_tokens_per_s": "308.95259910539136 1/s",
        "aiperf.tokens_per_s": "1407.450729257894 1/s",
        "aiperf.concurrency_mean": "1.9273629132989156 requests",
        "error_rate": "0 ratio",
    }
    assert metric(result, "latency_p50_ms").observed[-1] == (Decimal("0.99"), Decimal("66.16140865999999"))
    assert doubts(result) == ("indicative", FEW)
    assert result.conditions["load.concurrency"] == "2"


def test_aiperf_at_a_rate_has_the_latency_from_the_due_moment(tmp_path):
    result = only("aiperf_rate.json")
    assert str(metric(result, "latency_p50_ms").value) == "54.99968"
    assert str(metric(result, "aiperf.latency_from_sending_p50_ms").value) == "53.744108499999996"
    assert (result.conditions["load.rate"], SENT in doubts(result)[1]) == ("10.0", False)
    (older,) = changed(tmp_path, "aiperf_rate.json", lambda document: document.pop("effective_latency") and None)
    assert str(metric(older, "latency_p50_ms").value) == "53.744108499999996"
    assert SENT in doubts(older)[1]


def test_aiperf_counts_failed_requests(tmp_path):
    result = only("aiperf_errors.json")
    assert (values(result)["error_rate"], metric(result, "error_rate").n) == ("0.4 ratio", 20)
    assert doubts(result)[0] == "invalid"
    (same,) = changed(tmp_path, "aiperf_errors.json", lambda document: document.pop("error_request_count") and None)
    assert values(same)["error_rate"] == "0.4 ratio"


def test_an_aiperf_run_that_was_ended_is_invalid(tmp_path):
    def ended(document):
        document |= {"was_cancelled": True, "is_complete": False, "start_time": "2026-11-28T05:42:11Z"}
        document["input_config"]["phases"].append({"kind": "warmup", "rate": 3})
        document["input_config"]["models"]["items"].append({"name": "another"})

    (result,) = changed(tmp_path, "aiperf_concurrency.json", ended)
    assert doubts(result)[1][2:] == [
        "The run was canceled before its end.",
        "The file says that the run is not complete.",
    ]
    assert result.started_at == datetime(2026, 11, 28, 5, 42, 11, tzinfo=UTC)
    assert (result.model.name, result.verdict.status) == (None, "invalid")


def test_another_unit_is_converted_or_absent(tmp_path):
    def other(document):
        document["request_latency"]["unit"] = "us"
        document["time_to_first_token"]["unit"] = "parsecs"
        document["request_throughput"]["unit"] = "requests/minute"
        del document["request_latency"]["p95"]

    (result,) = changed(tmp_path, "aiperf_concurrency.json", other)
    assert str(metric(result, "latency_p50_ms").value) == "0.055340768499999996"
    assert absent(result)["aiperf.ttft_p50_ms"] == "The unit is parsecs, which is no time that is known."
    assert absent(result)["throughput_per_s"] == "The unit is requests/minute, not requests/sec."
    assert absent(result)["latency_p95_ms"] == "The files do not state it."


def test_genai_perf_states_less(tmp_path):
    result = only("genai_perf.json")
    assert (result.tool, result.tool_version, result.model.name) == ("GenAI-Perf", None, "mock")
    assert values(result)["latency_p99_ms"] == "57.069897829999995 ms"
    assert metric(result, "genai_perf.ttft_p50_ms").n == 30
    assert absent(result)["error_rate"] == "The file does not state how many requests failed."
    assert doubts(result) == ("indicative", FEW)

    def at_a_rate(document):
        document["input_config"]["perf_analyzer"]["stimulus"] = {"request_rate": 5}

    assert doubts(changed(tmp_path, "genai_perf.json", at_a_rate)[0])[1][0] == SENT


def test_what_has_another_type_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"effective_latency\.p50 must be a number") as refused:
        changed(tmp_path, "aiperf_rate.json", lambda document: document["effective_latency"].update(p50="fast") or None)
    assert refused.value.field == "effective_latency.p50"
