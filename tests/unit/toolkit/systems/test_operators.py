"""Operators of a model behind the fence."""

import json

import numpy as np
import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.builders import script
from weighbridge.core.converter import to_document
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox import child, operators, process, seals
from weighbridge.systems.sandbox.bubblewrap import Layers, layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.operators import operators_isolated
from weighbridge.systems.sandbox.process import RunFailed

GOOD = {
    "runs": 3,
    "total_ms": 2.0,
    "by_operator": [{"operator": "Conv", "ms": 2.0, "share": 1.0}],
    "slowest": [{"node": "a\x1b", "operator": "Conv", "ms": 2.0, "share": 1.0}],
}


def timed(tmp_path, model, **changes):
    return operators_isolated(
        **{
            "model": model,
            "settings": ProfileSettings(),
            "data": None,
            "limits": Limits(wall_s=60),
            "workdir": tmp_path / "work",
            "follow": (lambda *_: None, lambda: False),
            **changes,
        }
    )


def test_a_model_says_where_its_time_goes(tmp_path):
    data = builders.data_set(tmp_path / "d.npz")
    model = builders.classifier(tmp_path / "m.onnx")
    found = timed(tmp_path, model, data=data, is_trusted=layers_here().bubblewrap is None)
    assert [row["operator"] for row in found["by_operator"]] == ["MatMul"]
    assert (found["slowest"][0]["operator"], found["runs"]) == ("MatMul", 49)
    assert "isolation" in found


def test_a_trusted_model_needs_no_wall(tmp_path):
    found = timed(tmp_path, builders.classifier(tmp_path / "m.onnx"), is_trusted=True)
    assert found["isolation"] == "none, a process of its own outside every fence"


def test_without_a_wall_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(operators, "layers_here", lambda: Layers(bubblewrap=None))
    with pytest.raises(RunFailed, match="only inside bubblewrap") as refusal:
        timed(tmp_path, tmp_path / "m.onnx")
    assert refusal.value.code == "no_wall"


def test_the_wall_is_bubblewrap_with_a_filter_that_lets_open():
    layers = operators._layers(Layers(bubblewrap="/usr/bin/bwrap"))
    assert layers == Layers(bubblewrap="/usr/bin/bwrap", seals=(seals.LANDLOCK, seals.OPENING_FILTER))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"result": {"operators": GOOD}}, None),
        ({"result": {"operators": None}}, None),
        ({"result": {}}, "run_forged"),
        ({"result": 5}, "run_forged"),
        ({"result": {"operators": {**GOOD, "total_ms": -1}}}, "run_forged"),
        ({"result": {"operators": {**GOOD, "total_ms": "1e999"}}}, "run_forged"),
        ({"result": {"operators": {**GOOD, "slowest": [5]}}}, "run_forged"),
        ({"refusal": {"reason": "No.", "code": "model_failed", "field": None}}, "model_failed"),
    ],
)
def test_what_a_child_hands_over_is_checked(tmp_path, monkeypatch, said, code):
    monkeypatch.setattr(process, "CHILD", script(tmp_path / "s.py", f"say(fence=[])\nhand_over({json.dumps(said)!r})"))
    ask = {"is_trusted": True}
    if code is not None:
        with pytest.raises(RunFailed) as refusal:
            timed(tmp_path, tmp_path / "m.onnx", **ask)
        assert refusal.value.code == code
        return
    found = timed(tmp_path, tmp_path / "m.onnx", **ask)
    assert found is None or found["slowest"][0]["node"] == "a "


def test_a_child_that_dies_has_no_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "CHILD", script(tmp_path / "s.py", "say(fence=[])\nsys.exit(3)"))
    with pytest.raises(RunFailed) as refusal:
        timed(tmp_path, tmp_path / "m.onnx", is_trusted=True)
    assert refusal.value.code == "run_crash"


def job(tmp_path, **changes):
    model = builders.classifier(tmp_path / "m.onnx")
    task = {"task": "weighbridge.systems.sandbox.tasks:operators", "where": "while its operators were timed"}
    return {**task, "model": str(model), "data": None, "settings": to_document(ProfileSettings()), **changes}


def test_the_child_answers_or_refuses_in_words(tmp_path):
    assert child.outcome_of(job(tmp_path), stream=None)["result"]["operators"]["runs"] == 49
    free = builders.identity(tmp_path / "free.onnx", shape=["n", "length"])
    assert child.outcome_of(job(tmp_path, model=str(free)), stream=None) == {"result": {"operators": None}}
    missing = child.outcome_of(job(tmp_path, model=str(tmp_path / "none.onnx")), stream=None)
    assert missing["refusal"]["code"] == "model_missing"
    x = np.array([7, 7, 7])
    np.savez(tmp_path / "d.npz", x=x, y=x)
    failing = job(tmp_path, model=str(builders.gatherer(tmp_path / "g.onnx")), data=str(tmp_path / "d.npz"))
    assert "while its operators were timed" in child.outcome_of(failing, stream=None)["refusal"]["reason"]
