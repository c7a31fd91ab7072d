"""The child's side, in this process and without limits."""

import io
import json
import runpy
import sys
import time

import pytest

from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from benchmarking.toolkit.runners import child, limits
from benchmarking.toolkit.runners.limits import Limits
from tests.unit.benchmarking.toolkit import builders

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


def job(tmp_path, **changes):
    return {
        "model": str(builders.classifier(tmp_path / "model.onnx")),
        "data": None,
        "settings": QUICK.as_document(),
        "limits": Limits().as_document(),
        "outcome": str(tmp_path / "outcome.json"),
        "parent": 1,
        **changes,
    }


def test_progress_is_said_on_every_change_of_phase_and_else_seldom(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    speaker = child.Speaker(stream)
    for at, share, doing in ((100.0, 0.0, "a"), (100.1, 0.1, "a"), (100.3, 0.2, "a"), (100.31, 0.3, "b")):
        now[0] = at
        speaker(share, doing)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"share": 0.0, "doing": "a"},
        {"share": 0.2, "doing": "a"},
        {"share": 0.3, "doing": "b"},
    ]


def test_a_job_with_data_gives_a_result(tmp_path):
    stream = io.StringIO()
    outcome = child.outcome_of(job(tmp_path, data=str(builders.data_set(tmp_path / "d.npz"))), stream=stream)
    assert outcome["result"]["metrics"]["accuracy"]["value"] == 0.9
    assert json.loads(stream.getvalue().splitlines()[-1]) == {"share": 1.0, "doing": "done"}


def test_a_refusal_is_passed_on_in_words(tmp_path):
    outcome = child.outcome_of(job(tmp_path, model=str(tmp_path / "none.onnx")), stream=io.StringIO())
    assert outcome == {
        "refusal": {"reason": "There is no model file none.onnx.", "code": "model_missing", "field": "model"}
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), "model_memory"), (RuntimeError("bad_alloc"), "model_memory"), (KeyError("x"), "model_failed")],
)
def test_whatever_else_goes_wrong_is_put_into_words(tmp_path, monkeypatch, error, code):
    def fail(**_):
        raise error

    monkeypatch.setattr(child, "profile", fail)
    refusal = child.outcome_of(job(tmp_path), stream=io.StringIO())["refusal"]
    assert (refusal["code"], refusal["field"]) == (code, None)
    assert type(error).__name__ in refusal["reason"]


def test_the_child_confines_itself_before_it_runs(tmp_path, monkeypatch, capsys):
    steps = []
    monkeypatch.setattr(child, "die_with_parent", lambda parent: steps.append(("parent", parent)))
    monkeypatch.setattr(child, "confine", lambda limits: steps.append(("limits", limits)))
    monkeypatch.setattr(child, "outcome_of", lambda job, *, stream: steps.append("run") or {"result": {"x": 1}})
    (tmp_path / "job.json").write_text(json.dumps(job(tmp_path)))
    assert child.main([str(tmp_path / "job.json")]) == 0
    assert steps == [("parent", 1), ("limits", Limits()), "run"]
    assert json.loads((tmp_path / "outcome.json").read_text()) == {"result": {"x": 1}}


def test_the_module_is_a_program(tmp_path, monkeypatch, capsys):
    name = "benchmarking.toolkit.runners.child"
    monkeypatch.setattr(limits, "die_with_parent", lambda _: None)
    monkeypatch.setattr(limits, "confine", lambda _: None)
    monkeypatch.delitem(sys.modules, name)
    (tmp_path / "job.json").write_text(json.dumps(job(tmp_path, model="/none.onnx")))
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path / "job.json")])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(name, run_name="__main__")
    assert end.value.code == 0
    assert json.loads((tmp_path / "outcome.json").read_text())["refusal"]["code"] == "model_missing"
