"""Models side by side: tiny real ones, in this process and behind the fence."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import BlockSettings
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.scenarios import WarmUp
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.measure.studies.comparison import TWIN, ComparisonSettings, compare, has_failed
from weighbridge.systems.sandbox import child, process
from weighbridge.systems.sandbox.isolated_comparison import compare_isolated, read_comparison
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import ChildOutput, RunCallbacks, RunCanceled, RunFailed

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
QUICK = ComparisonSettings(
    margin=0.2,
    resamples=100,
    blocks=BlockSettings(rounds=8, block_ms=1.0, warmup=WarmUp(values=10, value_ms=0, max_duration_s=0.2)),
)


def side_by_side(models, data=None, settings=QUICK, say=lambda *_: None):
    return compare(models=models, data=data, settings=settings, on_progress=say, now=NOW)


def slow(path: Path, *, size=400) -> Path:
    """Answers as the classifier does, after a detour through large matrices."""
    wide = np.zeros((4, size), dtype=np.float32)
    square = np.eye(size, dtype=np.float32)
    back = np.zeros((size, 3), dtype=np.float32)
    wide[:, :4], back[:4] = np.eye(4), builders.WEIGHTS
    weights = [wide, square, square, square, square, back]
    nodes = [
        helper.make_node(
            "MatMul", [f"a{place}" if place else "x", f"w{place}"], [f"a{place + 1}" if place < 5 else "y"]
        )
        for place in range(6)
    ]
    return builders.save(
        nodes,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(weight, f"w{place}") for place, weight in enumerate(weights)],
        path,
    )


@pytest.fixture
def pair(tmp_path):
    return {"slow": slow(tmp_path / "slow.onnx"), "quick": builders.classifier(tmp_path / "quick.onnx")}


def test_the_quick_model_is_faster_and_answers_the_same(pair, tmp_path):
    said = []
    found = side_by_side(pair, builders.data_set(tmp_path / "d.npz"), say=lambda *step: said.append(step))
    assert (found["schema"], found["measured_at"]) == ("weighbridge.comparison/1", "2026-11-01T12:00:00+00:00")
    assert (found["baseline"], found["is_partial"], found["run"]["rounds"]) == ("slow", False, 8)
    baseline, quick = found["candidates"]
    assert (baseline["answer"], baseline["quality_drops"]) == ("baseline", [])
    assert quick["speed_up"]["value"] > 1
    assert [(drop["metric"], drop["value"]) for drop in quick["quality_drops"]] == [
        ("accuracy", 0.0),
        ("f1_macro", 0.0),
    ]
    assert quick["quality_drops"][0]["is_non_inferior"] is True
    assert quick["metrics"]["latency_p50_ms"]["n"] == 8
    assert sorted(name for rank in found["ranks"] for name in rank) == ["quick", "slow"]
    assert seal_manifest(found["manifest"])["digest"] == found["manifest"]["digest"]
    assert TWIN not in json.dumps(found)
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_names_of_classes_are_compared_as_their_numbers_are(tmp_path):
    """The names of the second class and the first are swapped in one of the models."""
    models = {
        "right": builders.classifier(tmp_path / "right.onnx"),
        "swapped": builders.save(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
            [numpy_helper.from_array(builders.WEIGHTS[:, [1, 0, 2]].copy(), "w")],
            tmp_path / "swapped.onnx",
        ),
    }
    numbers = np.array([0, 1, 2, 2] * 10)
    for truth in (numbers, np.array(["ant", "bee", "cat"])[numbers]):
        np.savez(tmp_path / "d.npz", x=np.eye(4, dtype=np.float32)[numbers], y=truth)
        accuracy = side_by_side(models, tmp_path / "d.npz")["candidates"][1]["quality_drops"][0]
        assert (accuracy["metric"], accuracy["value"], accuracy["n"]) == ("accuracy", 0.5, 40)


def test_without_data_speed_alone_is_compared(pair):
    found = side_by_side(pair)
    assert [entry["quality_drops"] for entry in found["candidates"]] == [[], []]
    assert found["manifest"]["data"] is None


def test_numbers_are_compared_too_row_by_row_where_the_batch_is_one(tmp_path):
    models = {
        name: builders.identity(tmp_path / f"{name}.onnx", shape=[batch, 1]) for name, batch in (("a", 1), ("b", "n"))
    }
    x = np.linspace(1, 2, 40, dtype=np.float32)[:, None]
    np.savez(tmp_path / "d.npz", x=x, y=x[:, 0].astype(np.float64))
    found = side_by_side(models, tmp_path / "d.npz")
    assert found["candidates"][1]["quality_drops"][0]["metric"] == "mae"


def test_enough_keeps_the_rounds_that_are_whole(pair):
    def say(share, doing):
        if doing == "timing side by side" and share > 0.5:
            raise StopMeasurement

    found = side_by_side(pair, say=say)
    assert found["is_partial"] is True
    assert 0 < found["run"]["rounds"] < 8
    assert "samples.too_few" in [reason["code"] for reason in found["verdict"]["reasons"]]
    assert found["verdict"]["status"] == "invalid"


def test_models_that_cannot_be_compared_are_refused(pair, tmp_path):
    other = builders.identity(tmp_path / "other.onnx", shape=["n", 4])
    with pytest.raises(Invalid, match="other has other inputs than quick"):
        side_by_side({"quick": pair["quick"], "other": other})
    with pytest.raises(Invalid, match="at least two models"):
        side_by_side({"quick": pair["quick"]})
    with pytest.raises(Invalid, match="at least two models"):
        side_by_side({"quick": pair["quick"], TWIN: pair["slow"]})


def test_a_model_that_fails_on_the_data_is_named(tmp_path):
    models = {"a": builders.gatherer(tmp_path / "a.onnx"), "b": builders.gatherer(tmp_path / "b.onnx")}
    np.savez(tmp_path / "d.npz", x=np.array([0, 1, 2]), y=np.array([0, 1, 0]))
    candidates = side_by_side(models, tmp_path / "d.npz")["candidates"]
    assert [has_failed(candidate) for candidate in candidates] == [True, True]
    assert all("failed on rows 0 to 2 of the data set" in candidate["not_scored"] for candidate in candidates)
    assert [candidate["quality_drops"] for candidate in candidates] == [[], []]


def test_free_dimensions_without_a_size_are_not_compared(tmp_path):
    models = {name: builders.identity(tmp_path / f"{name}.onnx", shape=["n", "length"]) for name in "ab"}
    with pytest.raises(Invalid, match=r"dimension length has no size.* State it with --dim length=SIZE"):
        side_by_side(models)


@pytest.mark.parametrize("wrong", [{"margin": 0}, {"confidence": 1}, {"threads": 0}, {"resamples": 99}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(Invalid):
        ComparisonSettings(**wrong)


def test_settings_survive_the_way_to_the_child():
    assert from_document(ComparisonSettings, json.loads(json.dumps(to_document(QUICK))), name="settings") == QUICK


def behind(pair, tmp_path, *, data=None, should_stop=lambda: False, wrap_up_s=5.0, settings=QUICK):
    return compare_isolated(
        models=pair,
        data=data,
        settings=settings,
        limits=Limits(wall_s=60),
        workdir=tmp_path / "work",
        follow=RunCallbacks(lambda *_: None, should_stop, wrap_up_s),
    )


def test_models_are_compared_in_a_process_of_their_own(pair, tmp_path):
    found = behind(pair, tmp_path, data=builders.data_set(tmp_path / "d.npz"))
    assert [entry["name"] for entry in found["candidates"]] == ["slow", "quick"]
    assert "own process group" in found["manifest"]["isolation"]


def test_bad_input_is_told_in_the_words_of_the_child(pair, tmp_path):
    with pytest.raises(RunFailed) as refusal:
        behind({**pair, "none": tmp_path / "none.onnx"}, tmp_path)
    assert (refusal.value.code, refusal.value.reason) == ("model_missing", "There is no model file none.onnx.")


def test_a_comparison_that_is_stopped_hands_over_what_it_has(pair, tmp_path):
    blocks = BlockSettings(rounds=500, block_ms=20, max_duration_s=50, warmup=QUICK.blocks.warmup)
    shares = []
    with pytest.raises(RunCanceled) as stopped:
        compare_isolated(
            models=pair,
            data=None,
            settings=ComparisonSettings(blocks=blocks),
            limits=Limits(wall_s=60),
            workdir=tmp_path / "work",
            follow=RunCallbacks(lambda share, _: shares.append(share), lambda: shares[-1] > 0.32, 20.0),
        )
    assert stopped.value.partial["is_partial"] is True
    assert 0 < stopped.value.partial["run"]["rounds"] < 500


def test_a_comparison_that_is_stopped_at_once_has_nothing(pair, tmp_path):
    with pytest.raises(RunCanceled) as stopped:
        behind(pair, tmp_path, should_stop=lambda: True, wrap_up_s=0.0)
    assert stopped.value.partial is None


def test_a_child_that_dies_is_told_of(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "CHILD", ("-c", "raise SystemExit(3)"))
    with pytest.raises(RunFailed, match="exit status 3"):
        behind(pair, tmp_path)


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """A comparison as a child hands it over, and what was asked."""
    folder = tmp_path_factory.mktemp("pair")
    models = {name: builders.classifier(folder / f"{name}.onnx").resolve() for name in ("a", "b")}
    return side_by_side(models), {"models": models, "settings": to_document(QUICK)}


def heard(document):
    text = document if isinstance(document, str) else json.dumps(document)
    return ChildOutput(seals=(), outcome=bytearray(text.encode()))


def test_an_honest_answer_is_believed(answer):
    result, asked = answer
    assert read_comparison(heard({"result": result}), **asked) == json.loads(json.dumps(result))


@pytest.mark.parametrize(
    "forge",
    [
        lambda result: result | {"schema": "weighbridge.comparison/2"},
        lambda result: result | {"verdict": {"status": "splendid"}},
        lambda result: result | {"manifest": result["manifest"] | {"machine": {}}},
        lambda result: result | {"manifest": seal_manifest(result["manifest"] | {"settings": {}})},
        lambda result: result | {"manifest": seal_manifest(result["manifest"] | {"models": {}})},
        lambda result: {},
        lambda result: result | {"noise_floor": float("nan")},
        lambda result: [],
    ],
)
def test_a_forged_answer_is_refused(answer, forge):
    result, asked = answer
    with pytest.raises(RunFailed) as refusal:
        read_comparison(heard({"result": forge(result)}), **asked)
    assert refusal.value.code == "run_forged"


def test_refusals_of_the_child_are_passed_on_as_text(answer):
    _, asked = answer
    for code, kept in (("model_memory", "model_memory"), ("<b>", "run_failed")):
        with pytest.raises(RunFailed) as refusal:
            read_comparison(heard({"refusal": {"reason": "No\x00.", "code": code, "field": None}}), **asked)
        assert (refusal.value.code, refusal.value.reason) == (kept, "No\ufffd.")
    with pytest.raises(RunFailed) as refusal:
        read_comparison(heard("{"), **asked)
    assert refusal.value.code == "run_forged"


def comparing_job(models):
    return {
        "task": "weighbridge.systems.sandbox.tasks:compare",
        "where": "while it was compared",
        "models": {name: str(path) for name, path in models.items()},
        "data": None,
        "settings": to_document(QUICK),
        "isolation": "none",
    }


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (StopMeasurement(), "run_stopped", "before anything was measured"),
        (Invalid("No.", code="data_form", field="data"), "data_form", "No."),
        (MemoryError("bad"), "model_memory", "while it was compared"),
    ],
)
def test_the_child_says_why_there_is_no_result(monkeypatch, capsys, raised, code, words):
    from weighbridge.measure.studies import comparison

    def fail(**_):
        raise raised

    monkeypatch.setattr(comparison, "compare", fail)
    said = child.outcome_of(comparing_job({}), stream=None)["refusal"]
    assert said["code"] == code
    assert words in said["reason"]


def test_the_child_compares(pair, capsys):
    said = child.outcome_of(comparing_job(pair), stream=sys.stdout)
    assert said["result"]["schema"] == "weighbridge.comparison/1"
    assert '"doing": "timing side by side"' in capsys.readouterr().out
