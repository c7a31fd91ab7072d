"""A variant beside its baseline: answers, time, operators; in this process, and by a child behind the fence."""

import base64
import dataclasses
import io
import json
import time

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import Blocks, BlockSettings
from weighbridge.measure.inputs.settings import AS_DECLARED
from weighbridge.measure.scenarios import WarmUp
from weighbridge.optimization import comparison, operators, variant_sandbox
from weighbridge.optimization.comparison import VariantComparisonSettings, compare
from weighbridge.optimization.recipes import DYNAMIC, GRAPH, PER_CHANNEL
from weighbridge.optimization.variant_sandbox import VariantSandbox
from weighbridge.systems.sandbox import child
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import read_answer
from weighbridge.systems.sandbox.process import ChildOutput, RunCanceled, RunFailed

pytestmark = pytest.mark.slow

WARMUP = WarmUp(values=10, value_ms=0.0, max_duration_s=0.05)
QUICK = VariantComparisonSettings(margin=0.02, blocks=BlockSettings(rounds=6, block_ms=1.0, warmup=WARMUP))


def silent(_share, _doing):
    pass


@pytest.fixture
def pair(tmp_path):
    """A classifier, one that answers the second class where the first would be right, and the rows."""
    variant = builders.WEIGHTS[:, [1, 0, 2]]
    other = builders.save(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(variant.copy(), "w")],
        tmp_path / "variant.onnx",
    )
    return builders.classifier(tmp_path / "baseline.onnx"), other, builders.data_set(tmp_path / "d.npz")


def test_a_model_beside_itself_loses_nothing(pair):
    baseline, _, data = pair
    said = []
    found = compare(
        baseline=baseline, variant=baseline, data=data, settings=QUICK, on_progress=lambda *step: said.append(step)
    )
    drop = found.quality_drop
    assert (drop.value, drop.b, drop.c, drop.n, drop.margin, drop.is_non_inferior) == (0.0, 0, 0, 300, 0.02, True)
    assert found.speed_up.blocks == 6
    assert found.noise_floor > 0
    assert found.baseline_operators_ms.keys() == found.variant_operators_ms.keys() == {"MatMul"}
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert {doing for _, doing in said} == {"answering, the baseline", "answering, the variant", "timing side by side"}


def test_a_worse_variant_loses_row_by_row(pair):
    baseline, variant, data = pair
    rows = np.load(data)
    scores = rows["x"] @ builders.WEIGHTS
    right, wrong = scores.argmax(axis=1) == rows["y"], scores[:, [1, 0, 2]].argmax(axis=1) == rows["y"]
    drop = compare(baseline=baseline, variant=variant, data=data, settings=QUICK, on_progress=silent).quality_drop
    assert (drop.b, drop.c) == (int((right & ~wrong).sum()), int((~right & wrong).sum()))
    assert drop.value == pytest.approx((drop.b - drop.c) / 300)
    assert not drop.is_non_inferior


def test_too_few_rounds_give_no_speed():
    blocks = Blocks({name: [np.array([5, 6])] for name in ("baseline", "twin", "variant")}, {}, 1.0, True)
    assert comparison.speed_of(blocks, confidence=0.95) == (None, None)


def test_speed_is_the_baselines_time_over_the_variants():
    fast, slow = [np.array([50, 51, 52])] * 8, [np.array([100, 102, 104])] * 8
    blocks = Blocks({"baseline": slow, "twin": slow, "variant": fast}, {}, 1.0, True)
    speed, floor = comparison.speed_of(blocks, confidence=0.95)
    assert (speed.value, speed.blocks, speed.is_tied, floor) == (pytest.approx(2.0), 8, False, pytest.approx(0.0))


def test_rows_that_fit_only_one_of_them_are_refused(pair, tmp_path):
    wide = builders.identity(tmp_path / "wide.onnx", shape=["n", 5])
    for models in ({"baseline": wide, "variant": pair[0]}, {"baseline": pair[0], "variant": wide}):
        with pytest.raises(Invalid, match=r"needs \(n, 5\)"):
            compare(**models, data=pair[2], settings=QUICK, on_progress=silent)


def test_a_model_that_fails_on_a_row_is_named(tmp_path):
    model, data = builders.gatherer(tmp_path / "m.onnx"), tmp_path / "d.npz"
    np.savez(data, x=np.array([0, 1] * 20 + [7]), y=np.array([0, 1] * 20 + [1]))
    with pytest.raises(Invalid.__mro__[1], match="failed on rows 0 to 40 of the data set"):
        compare(baseline=model, variant=model, data=data, settings=QUICK, on_progress=silent)


@pytest.mark.parametrize(
    "settings", [{"margin": 0.0}, {"margin": 1.0}, {"confidence": 0.0}, {"confidence": 1.0}, {"threads": 0}]
)
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(Invalid):
        VariantComparisonSettings(**settings)


def test_settings_survive_the_way_to_the_child():
    assert (
        from_document(
            comparison.VariantComparisonSettings, json.loads(json.dumps(dataclasses.asdict(QUICK))), name="settings"
        )
        == QUICK
    )


def test_operators_are_timed_one_by_one(model, digits):
    feed = {"input": digits.test.x[:1]}
    times = operators.operator_times(model.read_bytes(), feed, threads=1, clock=time.perf_counter_ns)
    assert {"Conv", "FusedGemm", "Gemm"} <= times.keys()
    assert all(spent >= 0 for spent in times.values())
    assert times["Conv"] + times["FusedGemm"] + times["Gemm"] > 0


def test_operators_with_graphs_inside_are_left_out(tmp_path):
    times = operators.operator_times(
        loop(tmp_path / "m.onnx"), {"x": np.ones((1, 4), dtype=np.float32)}, threads=1, clock=time.perf_counter_ns
    )
    assert "Loop" not in times
    assert "Softmax" in times


def loop(path):
    """Adds to itself twice in a loop, then takes the softmax; a sequence stands between."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_in"], ["go_out"]), helper.make_node("Add", ["v", "v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, ["n", 4]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, ["n", 4]),
        ],
    )
    return builders.save(
        [
            helper.make_node("Loop", ["turns", "", "x"], ["looped"], body=body),
            helper.make_node("SequenceConstruct", ["looped", "x"], ["sequence"]),
            helper.make_node("SequenceAt", ["sequence", "first"], ["taken"]),
            helper.make_node("Softmax", ["taken"], ["y"]),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(np.array(2), "turns"), numpy_helper.from_array(np.array(0), "first")],
        path,
    ).read_bytes()


def test_what_cannot_be_taken_apart_costs_nothing_but_that(tmp_path):
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(b"no network")
    assert comparison.operators_of(torn, {}, threads=1, clock=time.perf_counter_ns) == {}


def making_job(model, files, recipe, **changes):
    task = {"task": "weighbridge.optimization.variant_sandbox:make_variant", "where": "while its variant was made"}
    job = {**task, "model": str(model), "data": str(files / "train.npz")}
    inputs = to_document(AS_DECLARED)
    return {**job, "recipe": dataclasses.asdict(recipe), "inputs": inputs, "threads": 1, **changes}


@pytest.mark.parametrize("recipe", [GRAPH, PER_CHANNEL])
def test_the_child_makes_a_variant(model, files, recipe):
    stream = io.StringIO()
    outcome = child.outcome_of(making_job(model, files, recipe), stream=stream)
    assert len(base64.b64decode(outcome["result"]["model"])) > 1_000
    assert ("calibrating" in stream.getvalue()) is recipe.needs_rows


def test_the_child_compares(pair):
    task = {"task": "weighbridge.optimization.variant_sandbox:compare_variant", "where": ""}
    job = {**task, "baseline": str(pair[0]), "variant": str(pair[1]), "data": str(pair[2])}
    outcome = child.outcome_of({**job, "settings": dataclasses.asdict(QUICK)}, stream=io.StringIO())
    assert outcome["result"]["quality_drop"]["n"] == 300


def test_the_child_passes_refusals_on_in_words(model, files, tmp_path):
    refused = child.outcome_of(
        making_job(builders.identity(tmp_path / "m.onnx", shape=["n", 4]), files, DYNAMIC), stream=io.StringIO()
    )
    assert refused["refusal"]["code"] == "nothing_to_quantize"
    failed = child.outcome_of(making_job(tmp_path / "none.onnx", files, GRAPH), stream=io.StringIO())
    assert failed["refusal"]["code"] == "model_failed"
    assert "failed while its variant was made (FileNotFoundError" in failed["refusal"]["reason"]


@pytest.fixture
def shop(tmp_path):
    return VariantSandbox(limits=Limits(wall_s=120.0), threads=1, workdir=tmp_path / "jobs")


GO_ON = (silent, lambda: False)


def test_behind_the_fence_a_variant_is_made_and_compared(shop, model, files, tmp_path):
    """The whole way, through every layer that works here: nothing of it writes a file."""
    path = tmp_path / "variant.onnx"
    path.write_bytes(shop.make(PER_CHANNEL, model=model, rows=files / "train.npz", inputs=AS_DECLARED, follow=GO_ON))
    assert path.stat().st_size < model.stat().st_size / 3
    found = shop.compare(baseline=model, variant=path, rows=files / "test.npz", settings=QUICK, follow=GO_ON)
    assert found.quality_drop.n == 500
    assert found.speed_up is not None
    assert "QLinearConv" in found.variant_operators_ms


def test_behind_the_fence_a_refusal_keeps_its_code(shop, files, tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 4])
    with pytest.raises(RunFailed, match="nothing to quantize") as failed:
        shop.make(DYNAMIC, model=model, rows=files / "train.npz", inputs=AS_DECLARED, follow=GO_ON)
    assert failed.value.code == "nothing_to_quantize"


def test_a_job_is_canceled(shop, model, files):
    with pytest.raises(RunCanceled):
        shop.make(GRAPH, model=model, rows=files / "train.npz", inputs=AS_DECLARED, follow=(silent, lambda: True))


def output(said, **changes):
    return ChildOutput(**{"seals": (), "outcome": bytearray(said), **changes})


@pytest.mark.parametrize(
    "outcome",
    [b"{", b"[]", b"{}", b'{"refusal": {}}', b'{"refusal": 1}', b"[" * 100_000],
    ids=lambda outcome: outcome[:20],
)
def test_nonsense_of_a_child_is_refused(outcome):
    with pytest.raises(RunFailed, match="it does not have the format of an answer") as failed:
        read_answer(output(outcome), limits=Limits())
    assert failed.value.code == "run_forged"


@pytest.mark.parametrize("changes", [{"seals": None}, {"status": -9}, {"outcome": bytearray()}])
def test_a_dead_child_has_no_answer(changes):
    with pytest.raises(RunFailed):
        read_answer(output(b'{"result": {}}', **changes), limits=Limits())


@pytest.mark.parametrize("said", [{}, {"model": 5}, {"model": "%%"}])
def test_an_answer_without_a_model_is_refused(shop, model, files, monkeypatch, said):
    monkeypatch.setattr(variant_sandbox, "run_child", lambda **_: output(json.dumps({"result": said}).encode()))
    with pytest.raises(RunFailed, match="it contains no model"):
        shop.make(GRAPH, model=model, rows=files / "train.npz", inputs=AS_DECLARED, follow=GO_ON)


def test_an_answer_that_is_no_comparison_is_refused(shop, model, files, monkeypatch):
    monkeypatch.setattr(variant_sandbox, "run_child", lambda **_: output(b'{"result": {"quality_drop": 1}}'))
    with pytest.raises(RunFailed, match="it is not a comparison"):
        shop.compare(baseline=model, variant=model, rows=files / "test.npz", settings=QUICK, follow=GO_ON)
