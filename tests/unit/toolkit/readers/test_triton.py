"""perf_analyzer and Model Analyzer.

The samples of perf_analyzer are its own. Model Analyzer needs a Triton server in a container, which is not to be had
here: its tables are written by hand in the form of the golden files of its own tests (tests/common/*-ckpt of
https://github.com/triton-inference-server/model_analyzer), with other names and numbers.
"""

from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import absent, doubts, metric, only, values
from weighbridge.core.errors import Invalid
from weighbridge.readers.findings import FROM_SENDING as SENT
from weighbridge.readers.findings import UNKNOWN_COUNT as UNKNOWN
from weighbridge.readers.registry import read_results

HEAD = "Model,Batch,Concurrency,Model Config Path,Instance Group,Max Batch Size,Satisfies Constraints"
ANALYZED = f"""{HEAD},Throughput (infer/sec),p99 Latency (ms),GPU Memory Usage (MB)
resnet,4,8,resnet_config_2,1:GPU,16,Yes,512.4,17.25,1024.5
resnet,1,1,resnet_config_0,1:GPU,16,No,120.0,9.5,

Model,GPU UUID,GPU Memory Usage (MB)
resnet,GPU-1,3
"""


def read(folder, text):
    path = folder / "metrics.csv"
    path.write_text(text)
    return read_results(path)


def test_perf_analyzer_is_in_microseconds():
    result = only("perf_analyzer_concurrency.csv")
    assert (result.tool, result.tool_version, result.part) == ("perf_analyzer", None, "row 1, concurrency 2")
    assert values(result) == {
        "latency_p50_ms": "53.791 ms",
        "perf_analyzer.latency_p90_ms": "54.403 ms",
        "latency_p95_ms": "54.604 ms",
        "latency_p99_ms": "55.065 ms",
        "throughput_per_s": "19.9975 1/s",
        "perf_analyzer.client_send_mean_ms": "0.274 ms",
        "perf_analyzer.client_recv_mean_ms": "0.001 ms",
    }
    assert metric(result, "latency_p50_ms").observed[-1] == (Decimal("0.99"), Decimal("55.065"))
    assert set(absent(result)) == {"tool_version", "started_at", "error_rate", "model"}
    assert doubts(result) == ("indicative", [UNKNOWN])


def test_a_fixed_rate_is_measured_from_sending():
    result = only("perf_analyzer_rate.csv")
    assert (result.part, result.conditions["request_rate"]) == ("row 1, request rate 10", "10")
    assert doubts(result) == ("indicative", [UNKNOWN, SENT])


def test_each_row_of_model_analyzer_is_a_result(tmp_path):
    first, second = read(tmp_path, ANALYZED)
    assert (first.tool, first.part, first.model.name) == ("Triton Model Analyzer", "row 1, resnet_config_2", "resnet")
    assert values(first) == {
        "throughput_per_s": "512.4 1/s",
        "latency_p99_ms": "17.25 ms",
        "model_analyzer.gpu_memory_mb": "1024.5 MB",
    }
    assert (first.conditions["batch"], first.conditions["instance_group"]) == ("4", "1:GPU")
    assert absent(first)["latency_p50_ms"] == "The file has no such column."
    assert absent(second)["model_analyzer.gpu_memory_mb"] == "The files do not state it."
    assert doubts(second)[1] == [
        UNKNOWN,
        "The tool says that this configuration does not satisfy its constraints (No).",
    ]


def test_numbers_of_several_models_are_not_taken_apart(tmp_path):
    row = '"a,b","1,1","2,1","a_0,b_0","1:GPU,1:GPU","2,1",Yes,"294.0, [177.0,117.0]",12.5'
    head = f"{HEAD.replace('Concurrency', 'Request Rate')},Throughput (infer/sec),p95 Latency (ms)"
    (result,) = read(tmp_path, f"{head}\n{row}\n")
    assert values(result) == {"latency_p95_ms": "12.5 ms"}
    assert absent(result)["throughput_per_s"].startswith("The cell has a number for each of several models")
    assert (result.model.name, SENT in doubts(result)[1]) == (None, True)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("512.4", "fast", r"Throughput \(infer/sec\) must be a number, and neither NaN nor infinite; it is 'fast'"),
        ("512.4", "nan", "neither NaN nor infinite"),
        ("512.4", "1_0", "neither NaN nor infinite"),
        ("512.4,", "512.4,1,2,", "row 1 has 12 cells for 10 columns"),
        ("Max Batch Size", "Batch", "has a column twice"),
        ("resnet,4", '"resnet,4', "is not a valid CSV file"),
    ],
)
def test_another_table_is_refused(tmp_path, old, new, sentence):
    with pytest.raises(Invalid, match=sentence):
        read(tmp_path, ANALYZED.replace(old, new))


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("weighbridge.readers.tools.triton.ROWS_MAX", 1)
    with pytest.raises(Invalid, match="it has more than 1 rows"):
        read(tmp_path, ANALYZED)


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"metrics\.csv has no rows"):
        read(tmp_path, ANALYZED.partition("\n")[0] + "\n")
