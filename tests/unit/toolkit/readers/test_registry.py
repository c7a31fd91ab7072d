"""Finding the reader of a file, and what no reader takes."""

import json
from pathlib import Path

import pytest

from tests.unit.toolkit.readers.files import ALL, SAMPLES
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.readers import opened as opened_files
from weighbridge.readers import registry
from weighbridge.readers.imported_result import imported_document
from weighbridge.readers.opened import Opened
from weighbridge.readers.registry import READERS, read_results


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_exactly_one_reader_takes_each_sample(path):
    (reader,) = [each for each in READERS if each.detects(Opened(path))]
    results = read_results(path, tool=reader.name)
    assert results == read_results(path)
    assert {result.reader for result in results} == {reader.name}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_result_is_a_document(path):
    document = imported_document(read_results(path))
    assert json.loads(json.dumps(document)) == document
    assert document["schema"] == "weighbridge.imported/1"
    for result in document["results"]:
        assert all(isinstance(metric["value"], str) for metric in result["metrics"])
        assert all(reason["reason"].endswith((".", "…")) for reason in result["absent"])
        assert all(doubt["message"] for doubt in result["verdict"]["doubts"])
        assert all(file["digest"].startswith("sha256:") for file in result["files"])
        Reader(result)  # raises for text that cannot be stored


def test_a_name_of_ours_has_our_unit():
    metrics = [metric for path in ALL for result in read_results(path) for metric in result.metrics]
    ours = {metric.name: metric.unit for metric in metrics if metric.name in STANDARD}
    assert {"latency_p50_ms", "throughput_per_s", "error_rate", "accuracy"} <= set(ours)
    assert ours == {name: STANDARD[name].unit for name in ours}


def test_every_reader_has_a_sample():
    assert {result.reader for path in ALL for result in read_results(path)} == {reader.name for reader in READERS}


def test_what_no_reader_takes_is_refused_with_what_is_accepted(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    with pytest.raises(Invalid, match=r"a\.json is no result that can be read\. Accepted are Weighbridge: ") as refused:
        read_results(tmp_path / "a.json")
    assert refused.value.code == "unknown_file"
    assert all(reader.files in refused.value.reason for reader in READERS)
    for name, content in (("b", b""), ("c", b"\xff\xfe\x00"), ("d", b"[1]"), ("e", b"Model,x\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Invalid, match="no result that can be read"):
            read_results(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(Invalid, match="folder is no result that can be read"):
        read_results(tmp_path / "folder")


def test_a_file_of_two_tools_needs_a_name(tmp_path):
    document = json.loads((SAMPLES / "inspect.json").read_text()) | {"schema": "weighbridge.scores/1", "_step": 1}
    path = tmp_path / "both.json"
    path.write_text(json.dumps(document))
    with pytest.raises(
        Invalid, match=r"may be of several tools \(weighbridge, inspect_ai, wandb\); name one"
    ) as refused:
        read_results(path)
    assert refused.value.code == "ambiguous"
    assert read_results(path, tool="inspect_ai")[0].tool == "Inspect"


def test_a_named_tool_must_fit_the_file():
    with pytest.raises(Invalid, match="There is no reader 'excel'; use one of weighbridge, loadgen, guidellm"):
        read_results(SAMPLES / "inspect.json", tool="excel")
    with pytest.raises(Invalid, match=r"inspect\.json is no file of lm-evaluation-harness \(results_\*\.json\)"):
        read_results(SAMPLES / "inspect.json", tool="lm_eval")


def test_files_are_bounded(tmp_path, monkeypatch):
    large = tmp_path / "large.json"
    with large.open("wb") as stream:
        stream.truncate(64_000_001)
    with pytest.raises(TooLarge, match="larger than the 64,000,000 bytes allowed"):
        read_results(large)
    monkeypatch.setattr(registry, "RESULTS_MAX", 2)
    with pytest.raises(Invalid, match="more than 2 results; import a part of it"):
        read_results(SAMPLES / "lm_eval.json")
    monkeypatch.setattr(opened_files, "FILES_MAX", 1)
    with pytest.raises(Invalid, match="more than 1 files; give a folder inside it"):
        read_results(SAMPLES / "mlruns")


def test_a_file_without_results_is_refused(tmp_path):
    path = tmp_path / "comparison.json"
    path.write_text('{"schema": "weighbridge.comparison/1", "candidates": []}')
    with pytest.raises(Invalid, match=r"comparison\.json has no result\."):
        read_results(path)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match="cannot be read: No such file or directory"):
        read_results(tmp_path / "none")
    with pytest.raises(Invalid, match="is no regular file; give the file that the tool wrote"):
        read_results(Path("/dev/null"))


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(Invalid, match="cannot be read: Permission denied"):
        read_results(tmp_path)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_refused(tmp_path, constant):
    text = (SAMPLES / "inspect.json").read_text()
    assert '"value": 0.75' in text
    path = tmp_path / "log.json"
    path.write_text(text.replace('"value": 0.75', f'"value": {constant}'))
    with pytest.raises(Invalid, match=f"{constant} is not a number"):
        read_results(path)


def test_a_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "mlperf_log_summary.txt"
    path.write_bytes((SAMPLES / "loadgen_server.summary.txt").read_bytes() + b"\xff")
    with pytest.raises(Invalid, match="is not text in UTF-8"):
        read_results(path)
