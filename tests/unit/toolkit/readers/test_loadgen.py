"""MLPerf LoadGen: the verdict, the estimates of early stopping, and what each scenario does not measure."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import SAMPLES, absent, doubts, metric, only, sample, values
from weighbridge.core.errors import Invalid
from weighbridge.readers.findings import UNKNOWN_COUNT
from weighbridge.readers.registry import read_results

SINGLE = SAMPLES / "loadgen_single"


def changed(folder, name, *replacements):
    """Read a copy of a text sample after replacements."""
    text = (SAMPLES / name).read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "changed.txt"
    path.write_text(text)
    return read_results(path)[0]


def test_a_valid_run_has_the_upper_bounds_of_early_stopping():
    result = only("loadgen_single")
    assert (result.tool, result.tool_version, result.part) == ("MLPerf LoadGen", "6.0.17 @ d6147c7eb7", "SingleStream")
    assert result.started_at == datetime(2026, 11, 28, 5, 34, 58, tzinfo=UTC)
    assert result.model.name == "PySUT"
    assert values(result) == {
        "latency_p50_ms": "0.584097 ms",
        "loadgen.latency_p90_ms": "0.591051 ms",
        "latency_p95_ms": "0.594419 ms",
        "loadgen.latency_p97_ms": "0.605944 ms",
        "latency_p99_ms": "0.684600 ms",
        "loadgen.latency_p99.9_ms": "1.669216 ms",
        "loadgen.latency_mean_ms": "0.588387 ms",
        "throughput_per_s": "1695.21 1/s",
    }
    p99 = metric(result, "latency_p99_ms")
    assert (p99.n, p99.lower, p99.upper, p99.confidence) == (1019, None, Decimal("0.809780"), Decimal("0.99"))
    assert metric(result, "latency_p95_ms").confidence is None
    assert metric(result, "latency_p50_ms").observed[0] == (Decimal("0.5"), Decimal("0.584097"))
    assert len(metric(result, "latency_p50_ms").observed) == 6
    assert doubts(result) == ("valid", [])
    assert [file.name for file in result.files] == ["mlperf_log_detail.txt", "mlperf_log_summary.txt"]
    assert result.conditions["min_duration_ms"] == "600"
    assert set(absent(result)) == {"ended_at", "data", "error_rate"}


@pytest.mark.parametrize("kind", ["server", "multi", "offline", "single"])
def test_both_files_state_the_same(kind):
    names = {"single": ("loadgen_single/mlperf_log_summary.txt", "loadgen_single/mlperf_log_detail.txt")}
    summary, detail = names.get(kind, (f"loadgen_{kind}.summary.txt", f"loadgen_{kind}.detail.txt"))
    (short,), (long,) = sample(summary), sample(detail)
    rounded = {name: text for name, text in values(long).items() if name != "throughput_per_s"}
    assert {name: text for name, text in values(short).items() if name != "throughput_per_s"} == rounded
    assert short.verdict == long.verdict
    assert short.conditions == long.conditions
    assert (short.tool_version, short.started_at) == (None, None)


def test_an_invalid_run_says_why():
    status, messages = doubts(only("loadgen_server.summary.txt"))
    assert status == "invalid"
    assert messages[1:] == [
        "LoadGen says that the result is INVALID; not met: early stopping.",
        (
            "LoadGen on early stopping: Run unsuccessful. Processed 400 queries. Would need to run at least 59 more "
            "queries, with the run being successful if every additional query were under latency."
        ),
    ]
    assert messages[0] == "latency_p99_ms is of 400 requests; a bound for it needs 662 or more."


def test_an_offline_run_has_no_latency_of_a_request():
    result = only("loadgen_offline.detail.txt")
    assert values(result) == {"throughput_per_s": "1717.72 1/s"}
    assert absent(result)["latency_p99_ms"].startswith("In the Offline scenario LoadGen sends one query")
    assert doubts(result) == ("invalid", ["LoadGen says that the result is INVALID; not met: min duration."])


def test_a_query_of_several_samples_is_no_request():
    result = only("loadgen_multi.detail.txt")
    assert metric(result, "loadgen.query_latency_p99_ms").value == Decimal("5.562922")
    assert "latency_p50_ms" in absent(result)
    assert absent(result)["throughput_per_s"] == "LoadGen states no rate in the MultiStream scenario."


def test_errors_and_warnings_of_the_log_count(tmp_path):
    name = "loadgen_single/mlperf_log_summary.txt"
    result = changed(
        tmp_path,
        name,
        ("No warnings encountered", "1 warning encountered. See detailed log.\nNone"),
        ("No errors encountered", "2 ERRORS encountered. See detailed log.\nNone"),
    )
    assert doubts(result) == (
        "invalid",
        ["LoadGen logged 2 errors during the test.", "LoadGen logged 1 warnings during the test."],
    )
    result = changed(tmp_path, "loadgen_single/mlperf_log_detail.txt", ('"is_error": false', '"is_error": true'))
    assert doubts(result)[1][0].startswith("LoadGen logged 9")
    skipped = changed(tmp_path, name, ("Min queries satisfied : Yes", "Min queries satisfied : Skipped"))
    assert doubts(skipped) == ("indicative", ["LoadGen says VALID, but these are not met: min queries."])


def test_another_mode_and_a_run_without_early_stopping_text(tmp_path):
    result = changed(
        tmp_path,
        "loadgen_single/mlperf_log_summary.txt",
        ("PerformanceOnly", "FindPeakPerformance"),
        ("Early Stopping Result:", ""),
    )
    assert doubts(result) == (
        "indicative",
        [UNKNOWN_COUNT, "The mode was FindPeakPerformance, not PerformanceOnly."],
    )
    assert metric(result, "latency_p99_ms").n is None
    assert metric(result, "latency_p99_ms").upper is None


def test_a_run_that_states_no_result_is_refused(tmp_path):
    detail = "loadgen_single/mlperf_log_detail.txt"
    with pytest.raises(Invalid, match="has no verdict, so the run did not end"):
        changed(tmp_path, detail, ("result_validity", "another_key"))
    with pytest.raises(Invalid, match="has no scenario of LoadGen"):
        changed(tmp_path, detail, ("effective_scenario", "another_key"))
    with pytest.raises(Invalid, match=r"Line 1 of changed\.txt is not valid JSON"):
        changed(tmp_path, detail, ('{"key": "loadgen_version"', "{"))


def test_too_many_lines_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("weighbridge.readers.tools.loadgen.LINES_MAX", 50)
    with pytest.raises(Invalid, match="more than 50 lines"):
        changed(tmp_path, "loadgen_single/mlperf_log_detail.txt")


def test_long_lines_take_no_time(tmp_path):
    name = "loadgen_single/mlperf_log_summary.txt"
    result = changed(tmp_path, name, ("Additional Stats", " " * 3_000_000 + "\n" + "a:" * 1_000_000))
    assert len(result.metrics) == 8


def test_a_folder_holds_one_run(tmp_path):
    (tmp_path / "mlperf_log_detail.txt").write_bytes((SINGLE / "mlperf_log_detail.txt").read_bytes())
    assert [file.name for file in read_results(tmp_path)[0].files] == ["mlperf_log_detail.txt"]
    summary = (SINGLE / "mlperf_log_summary.txt").read_text()
    (tmp_path / "mlperf_log_summary.txt").write_text(summary.replace("Result is : VALID", "Result is : INVALID"))
    with pytest.raises(Invalid, match="have different verdicts; give the files of one run"):
        read_results(tmp_path)
    (tmp_path / "mlperf_log_detail.txt").unlink()
    assert read_results(tmp_path)[0].verdict.status == "invalid"
