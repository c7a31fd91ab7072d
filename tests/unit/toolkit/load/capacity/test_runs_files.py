"""Files of runs: results of streaming load tests that belong together, one table, and what is refused."""

import json

import pytest

from tests.refusals import has_code
from tests.unit.toolkit.load.capacity.builders import LIMITS, load_test, reason, streaming
from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.measured_runs import MeasuredRun
from weighbridge.load.capacity.runs_files import read_runs, runs_from


def written(folder, *documents):
    files = [folder / f"run-{place}.json" for place, _ in enumerate(documents)]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document))
    return files


def table(folder, text):
    file = folder / "runs.csv"
    file.write_text(text)
    return [file]


def test_results_of_load_tests_are_read(tmp_path):
    documents = [load_test(2.0, 0.97, seed=1), load_test(2.5, 0.9, seed=3)]
    found = read_runs(written(tmp_path, *documents))
    assert found.runs[0] == MeasuredRun(rate_per_s=2.0, share=0.97, n=800, seed=1, blocks=(0.97,) * 50)
    assert [(run.rate_per_s, run.seed) for run in found.runs] == [(2.0, 1), (2.5, 3)]
    assert (found.limits, found.workload) == (LIMITS, "sha256:" + "a" * 64)
    assert found.mean_tokens == {"input_tokens_mean": 600.0, "output_tokens_mean": 202.0}
    assert [source["file"] for source in found.sources] == ["run-0.json", "run-1.json"]
    assert all(source["digest"].startswith("sha256:") for source in found.sources)
    assert found.doubts == ()


def test_a_run_without_an_answer_belongs_to_the_others():
    silent = load_test(9.0, streaming=streaming(share=0.0, models=[]))
    assert len(runs_from([("a", load_test()), ("b", silent)]).runs) == 2


def test_tokens_that_a_run_does_not_state_are_unknown():
    documents = [
        ("a", load_test()),
        ("b", load_test(metrics={"input_tokens_mean": {"value": 500.0}, "goodput_per_s": {}})),
    ]
    assert runs_from(documents).mean_tokens == {"input_tokens_mean": 550.0}
    assert runs_from([]).mean_tokens == {}


def test_indicative_reasons_are_kept_and_those_that_goodput_counts_are_not():
    reasons = [reason("cache.unknown", "indicative"), reason("errors.requests"), reason("load.saturated", "indicative")]
    documents = [(str(place), load_test(verdict=each)) for place, each in enumerate(reasons)]
    assert runs_from(documents).doubts == ("cache.unknown",)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"streaming": streaming(limits=LIMITS | {"ttft_ms": 500})}, "runs_limits"),
        ({"streaming": streaming(workload="sha256:" + "b" * 64)}, "runs_workload"),
        ({"streaming": streaming(models=["m-2"])}, "runs_models"),
        ({"streaming": streaming(good=None)}, "runs_no_goodput"),
        ({"plan": {"rate_per_s": 2.0, "seed": 1, "arrivals": "constant"}}, "runs_arrivals"),
        ({"streaming": streaming(limits=None)}, "runs_form"),
        ({"streaming": streaming(limits={"ttft_ms": 1000})}, "runs_form"),
        ({"schema": "weighbridge.load/2"}, "runs_form"),
        ({"plan": {"seed": 1}}, "runs_form"),
        ({"verdict": {}}, "runs_form"),
        ({"streaming": streaming(good={"share": 1.2, "n": 9})}, "invalid"),
        ({"streaming": streaming(good=[0.9])}, "runs_form"),
        ({"streaming": None}, "runs_form"),
        ({"metrics": {"input_tokens_mean": None}}, "runs_form"),
        ({"verdict": {"reasons": [{"status": "indicative"}]}}, "runs_form"),
        ({"streaming": streaming(good={"share": "much", "n": 9})}, "runs_form"),
        ({"verdict": reason("generator.lag")}, "runs_invalid"),
        ({"is_partial": True}, "runs_unsteady"),
        ({"loop": "closed"}, "runs_unsteady"),
        ({"plan": {"rate_per_s": 2.0, "seed": 1, "arrivals": "ramp"}}, "runs_unsteady"),
    ],
)
def test_runs_that_do_not_belong_together_or_are_no_evidence_are_refused(changes, code):
    with pytest.raises(Invalid, check=has_code(code)):
        runs_from([("a", load_test()), ("b", load_test(**changes))])


@pytest.mark.parametrize("document", [[], "text", {"schema": "weighbridge.load/1"}])
def test_another_document_is_refused(tmp_path, document):
    with pytest.raises(Invalid, check=has_code("runs_form"), match="not the result of a streaming load test"):
        read_runs(written(tmp_path, document))


def test_a_table_is_read(tmp_path):
    found = read_runs(table(tmp_path, "rate, good, n, seed\n2.4,0.99,960,1\n\n2.6,0.95,1040,2\n"))
    assert found.runs == (
        MeasuredRun(rate_per_s=2.4, share=0.99, n=960, seed=1),
        MeasuredRun(rate_per_s=2.6, share=0.95, n=1040, seed=2),
    )
    assert (found.limits, found.workload, found.mean_tokens) == ({}, "", {})
    assert found.sources[0]["file"] == "runs.csv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must start with the header"),
        ("rate,good\n1,1\n", "must start with the header `rate,good,n,seed`"),
        ("rate,good,n,seed\n1,1,10\n", "Line 2"),
        ("rate,good,n,seed\n1,1,10,1\n1,much,10,1\n", "Line 3"),
        ("rate,good,n,seed\n1,1.5,10,1\n", "Line 2 of runs.csv: The share"),
        ("rate,good,n,seed\n1,1,10,\x00\n", "Line 2"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path, text, words):
    with pytest.raises(Invalid, match=words) as refused:
        read_runs(table(tmp_path, text))
    assert refused.value.code == "runs_form"


def test_files_that_cannot_be_read_are_refused(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, check=has_code("runs_unreadable")):
        read_runs([file])
    with pytest.raises(Invalid, check=has_code("runs_unreadable")):
        read_runs([tmp_path / "none.json"])
    with pytest.raises(Invalid, check=has_code("runs_mixed")):
        read_runs([file, tmp_path / "none.json"])
    with pytest.raises(Invalid, check=has_code("runs_many")):
        read_runs([file] * 1_001)
