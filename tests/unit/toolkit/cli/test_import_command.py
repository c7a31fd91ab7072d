"""`weighbridge import`: what it prints and writes, and how it ends."""

import json

import pytest

import weighbridge as toolkit
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.readers.files import SAMPLES
from tests.unit.toolkit.readers.studies.files import SAMPLES as STUDIES


def test_a_valid_result_is_printed_and_written(tmp_path):
    out = tmp_path / "imported.json"
    done = weighbridge("import", SAMPLES / "loadgen_single", "-o", out)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].strip() == "MLPerf LoadGen 6.0.17 @ d6147c7eb7: SingleStream"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells[0] == ["latency p50", "0.5841", "", "", "ms", "", "1,019"]
    assert ["latency p99", "0.6846", "", "0.8098", "ms", "99%", "1,019"] in cells
    assert "no failed: LoadGen does not count failed queries." in lines
    assert lines[-1] == "verdict: valid"
    document = json.loads(out.read_text())
    assert document["schema"] == "weighbridge.imported/1"
    assert document["results"][0]["metrics"][4]["value"] == "0.684600"


def test_an_invalid_result_ends_with_1_and_its_reasons():
    done = weighbridge("import", SAMPLES / "perf_analyzer_rate.csv", SAMPLES / "loadgen_server.summary.txt")
    assert done.exit_code == 1
    assert "verdict: indicative" in done.stdout
    assert "  LoadGen says that the result is INVALID; not met: early stopping." in done.stdout.splitlines()


def test_a_file_of_no_tool_ends_with_2(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    done = weighbridge("import", tmp_path / "a.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("weighbridge: a.json is no result that can be read. Accepted are Weighbridge: JSON")


def test_the_tool_may_be_named():
    assert weighbridge("import", SAMPLES / "mlruns", "--tool", "mlflow", "--quiet").output == ""
    done = weighbridge("import", SAMPLES / "mlruns", "--tool", "wandb")
    assert (done.exit_code, "mlruns is no file of Weights & Biases" in done.stderr) == (2, True)


def test_python_gives_a_row_for_each_metric():
    result = toolkit.import_results([SAMPLES / "lm_eval.json", SAMPLES / "inspect.json"])
    frame = result.to_polars()
    assert frame["metric"].to_list() == ["accuracy", "lm_eval.acc_norm"] * 2 + ["lm_eval.acc", "accuracy"]
    first = result.rows[0]
    assert (first["tool"], first["part"], first["status"]) == ("lm-evaluation-harness", "sums", "indicative")
    assert (first["value"], first["confidence"], first["n"], first["unit"]) == (0.36, 0.95, 25, "ratio")
    assert first["lower"] == pytest.approx(0.168, abs=1e-3)


def test_a_study_is_printed_with_its_conclusions_and_no_empty_table():
    done = weighbridge("import", STUDIES / "sweep.json", STUDIES / "experiment.json")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "Sweep"
    assert lines[1].startswith("  The highest throughput is 10,358,082 rows per second")
    assert lines[2] == "  points: 6, of which 6 measured the model"
    assert done.stdout.count("┏") == 1
    assert "  With any number of looks, no difference is shown: +13.00% (95%: -0.99% to +28.96%)." in lines
