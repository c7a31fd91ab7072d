"""ONNX Runtime behind the runner."""

import os

import numpy as np
import pytest

from benchmarking.toolkit.measure.inputs import InputSpec
from benchmarking.toolkit.runners.onnx_runtime import OnnxRuntimeRunner
from governance.domain.refusals import Invalid
from tests.unit.benchmarking.toolkit import builders


def test_a_model_answers(tmp_path, monkeypatch):
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    runner = OnnxRuntimeRunner(builders.classifier(tmp_path / "model.onnx"), threads=1)
    feed = {"x": np.array([[1, 5, 2, 9]], dtype=np.float32)}
    assert runner.inputs == (InputSpec("x", "float32", ("n", 4)),)
    assert [output.tolist() for output in runner.infer(feed)] == [[[1, 5, 2]]]
    assert runner.first_output(feed).tolist() == [[1, 5, 2]]
    assert runner.describe() == {
        "engine": "onnxruntime", "providers": ["CPUExecutionProvider"], "intra_op_threads": 1, "inter_op_threads": 1,
        "graph_optimisation": "all", "execution": "sequential",
    }  # fmt: skip
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_type_without_a_numpy_name_keeps_its_own(tmp_path):
    path = builders.identity(tmp_path / "words.onnx", shape=["n"], dtype=8)
    assert OnnxRuntimeRunner(path, threads=1).inputs == (InputSpec("x0", "tensor(string)", ("n",)),)


def test_a_model_that_the_engine_refuses(tmp_path):
    from onnx import helper

    wrong = [helper.make_node("NoSuchOperator", ["x"], ["y"])]
    value = helper.make_tensor_value_info("x", 1, [1]), helper.make_tensor_value_info("y", 1, [1])
    path = builders.save(wrong, [value[0]], [value[1]], [], tmp_path / "wrong.onnx")
    with pytest.raises(Invalid, match=r"ONNX Runtime cannot load wrong\.onnx: .*NoSuchOperator") as refusal:
        OnnxRuntimeRunner(path, threads=1)
    assert refusal.value.code == "model_refused"
