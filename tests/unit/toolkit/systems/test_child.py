"""The child's side, in this process and without limits."""

import io
import json
import os
import runpy
import sys
import time
from pathlib import Path

import pytest

from tests.unit.toolkit import builders
from weighbridge.core.converter import to_document
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.systems.sandbox import child, limits, seals, tasks
from weighbridge.systems.sandbox.limits import Limits

pytestmark = pytest.mark.slow

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


def job(tmp_path, **changes):
    return {
        "task": "weighbridge.systems.sandbox.tasks:profile",
        "where": "while it was measured",
        "system": "onnx",
        "options": {"model": str(builders.classifier(tmp_path / "model.onnx"))},
        "data": None,
        "settings": to_document(QUICK),
        "limits": to_document(Limits()),
        "layers": {"bubblewrap": None, "seals": ["Landlock", "kernel call filter"]},
        "reads": ["/usr", "/lib"],
        "isolation": "a fence",
        "outcome": -1,
        "parent": 1,
        **changes,
    }


@pytest.fixture
def steps(monkeypatch):
    """Keep what the child would have done to this process."""
    done = []
    monkeypatch.setattr(child, "die_with_parent", lambda parent: done.append(("parent", parent)))
    monkeypatch.setattr(
        child, "apply_limits", lambda limits, *, counts_tasks: done.append(("limits", limits, counts_tasks))
    )
    monkeypatch.setattr(
        child, "apply_seals", lambda wanted, *, reads: done.append(("seals", wanted, reads)) or ["Landlock"]
    )
    return done


def test_progress_is_said_on_every_change_of_phase_and_else_seldom(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    speaker = child.ProgressWriter(stream)
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
    assert outcome["result"]["manifest"]["isolation"] == "a fence"
    assert json.loads(stream.getvalue().splitlines()[-1]) == {"share": 1.0, "doing": "done"}


def test_a_refusal_is_passed_on_in_words(tmp_path):
    outcome = child.outcome_of(job(tmp_path, options={"model": str(tmp_path / "none.onnx")}), stream=io.StringIO())
    assert outcome == {
        "refusal": {"reason": "There is no model file none.onnx.", "code": "model_missing", "field": "model"}
    }


@pytest.mark.parametrize(
    ("error", "named", "code"),
    [
        (MemoryError(), "MemoryError", "model_memory"),
        (RuntimeError("bad_alloc"), "RuntimeError", "model_memory"),
        (ImportError("x.so: failed to map segment from shared object"), "MemoryError", "model_memory"),
        (ImportError("no such library"), "ImportError", "model_failed"),
        (KeyError("x"), "KeyError", "model_failed"),
    ],
)
def test_whatever_else_goes_wrong_is_put_into_words(tmp_path, monkeypatch, error, named, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(tasks, "measure", fail)
    refusal = child.outcome_of(job(tmp_path), stream=io.StringIO())["refusal"]
    assert (refusal["code"], refusal["field"]) == (code, None)
    assert named in refusal["reason"]


@pytest.mark.parametrize(
    ("bubblewrap", "words"),
    [
        (None, "Landlock, own process group, empty environment, rlimits, wall clock"),
        ("/bwrap", "bubblewrap without network, Landlock, own process group, empty environment, rlimits, wall clock"),
    ],
)
def test_the_child_fences_itself_in_and_says_what_holds(tmp_path, steps, bubblewrap, words):
    (tmp_path / "oom_score_adj").write_text("0")
    order = job(tmp_path, layers={"bubblewrap": bubblewrap, "seals": ["Landlock", "kernel call filter"]})
    (tmp_path / "job.json").write_text(json.dumps(order))
    stream = io.StringIO()
    assert child.enter_sandbox(tmp_path / "job.json", stream=stream, process=tmp_path) == {**order, "isolation": words}
    assert steps == [
        ("parent", 1),
        ("limits", Limits(), bubblewrap is not None),
        ("seals", ("Landlock", "kernel call filter"), [Path("/usr"), Path("/lib")]),
    ]
    assert stream.getvalue() == '{"fence": ["Landlock"]}\n'
    assert (tmp_path / "oom_score_adj").read_text() == "1000"


def test_a_system_without_that_file_is_no_hindrance(tmp_path, steps):
    (tmp_path / "job.json").write_text(json.dumps(job(tmp_path)))
    assert child.enter_sandbox(tmp_path / "job.json", stream=io.StringIO(), process=tmp_path / "none")["parent"] == 1
    assert len(steps) == 3


def test_the_outcome_goes_through_its_own_pipe(tmp_path, monkeypatch, steps, capsys):
    receive, send = os.pipe()
    monkeypatch.setattr(child, "outcome_of", lambda job, **_: steps.append("run") or {"result": {"x": 1}})
    (tmp_path / "job.json").write_text(json.dumps(job(tmp_path, outcome=send)))
    assert child.main([str(tmp_path / "job.json")]) == 0
    assert steps[-1] == "run"
    with os.fdopen(receive) as pipe:
        assert json.load(pipe) == {"result": {"x": 1}}
    assert capsys.readouterr().out == '{"fence": ["Landlock"]}\n'


def test_the_module_is_a_program(tmp_path, monkeypatch, capsys):
    name = "weighbridge.systems.sandbox.child"
    receive, send = os.pipe()
    monkeypatch.setattr(limits, "die_with_parent", lambda _: None)
    monkeypatch.setattr(limits, "apply_limits", lambda _, *, counts_tasks: None)
    monkeypatch.setattr(seals, "apply_seals", lambda _, *, reads: [])
    monkeypatch.delitem(sys.modules, name)
    (tmp_path / "job.json").write_text(json.dumps(job(tmp_path, options={"model": "/none.onnx"}, outcome=send)))
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path / "job.json")])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(name, run_name="__main__")
    assert end.value.code == 0
    with os.fdopen(receive) as pipe:
        assert json.load(pipe)["refusal"]["code"] == "model_missing"


def leash(*, is_held):
    asked, ask = os.pipe()
    if not is_held:
        os.close(ask)
    return asked


def test_a_leash_that_is_let_go_asks_for_an_end():
    with pytest.raises(StopMeasurement):
        child.ProgressWriter(io.StringIO(), leash=leash(is_held=False))(0.5, "measuring")
    child.ProgressWriter(io.StringIO(), leash=leash(is_held=True))(0.5, "measuring")


def test_a_run_that_is_to_end_before_it_began_says_so(tmp_path):
    outcome = child.outcome_of(job(tmp_path, leash=leash(is_held=False)), stream=io.StringIO())
    assert outcome["refusal"]["code"] == "run_stopped"


def test_what_there_is_before_the_quality_is_handed_over(tmp_path):
    parts = []
    data = str(builders.data_set(tmp_path / "d.npz"))
    outcome = child.outcome_of(job(tmp_path, data=data), stream=io.StringIO(), on_checkpoint=parts.append)
    assert [part["result"]["is_partial"] for part in parts] == [True]
    assert "accuracy" not in parts[0]["result"]["metrics"]
    assert outcome["result"]["is_partial"] is False


def test_a_child_without_fence_lays_nothing_on_itself(tmp_path, steps):
    order = job(tmp_path, layers={"bubblewrap": None, "seals": [], "is_open": True})
    (tmp_path / "job.json").write_text(json.dumps(order))
    stream = io.StringIO()
    found = child.enter_sandbox(tmp_path / "job.json", stream=stream, process=tmp_path)
    assert found["isolation"] == "none, a process of its own outside every fence"
    assert (steps, stream.getvalue()) == ([("parent", 1)], '{"fence": []}\n')
