"""ONNX Runtime behind the runner."""

import os

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.scenarios import RuntimeSettings
from weighbridge.systems import onnx_runtime
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner


def test_a_model_answers(tmp_path, monkeypatch):
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    runner = OnnxRuntimeRunner(builders.classifier(tmp_path / "model.onnx"), threads=1)
    feed = {"x": np.array([[1, 5, 2, 9]], dtype=np.float32)}
    assert runner.inputs == (InputSpec("x", "float32", ("n", 4)),)
    assert [output.tolist() for output in runner.infer(feed)] == [[[1, 5, 2]]]
    assert runner.infer(feed)[0].tolist() == [[1, 5, 2]]
    assert runner.describe() == {
        "engine": "onnxruntime",
        "providers": ["CPUExecutionProvider"],
        "intra_op_threads": 1,
        "inter_op_threads": 1,
        "graph_optimization": "all",
        "execution": "sequential",
    }
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_type_without_a_numpy_name_keeps_its_own(tmp_path):
    path = builders.identity(tmp_path / "words.onnx", shape=["n"], dtype=8)
    assert OnnxRuntimeRunner(path, threads=1).inputs == (InputSpec("x0", "string", ("n",)),)


def test_a_model_that_the_engine_refuses(tmp_path):
    from onnx import helper

    wrong = [helper.make_node("NoSuchOperator", ["x"], ["y"])]
    value = helper.make_tensor_value_info("x", 1, [1]), helper.make_tensor_value_info("y", 1, [1])
    path = builders.save(wrong, [value[0]], [value[1]], [], tmp_path / "wrong.onnx")
    with pytest.raises(Invalid, match=r"ONNX Runtime cannot load wrong\.onnx: .*NoSuchOperator") as refusal:
        OnnxRuntimeRunner(path, threads=1)
    assert refusal.value.code == "model_refused"


def test_the_engine_is_set_up_as_asked(tmp_path):
    path = builders.classifier(tmp_path / "model.onnx")
    settings = RuntimeSettings(optimization="none", inter_op_threads=2)
    said = OnnxRuntimeRunner(path, threads=2, settings=settings).describe()
    assert (said["intra_op_threads"], said["inter_op_threads"]) == (2, 2)
    assert (said["graph_optimization"], said["execution"]) == ("none", "parallel")


def test_a_provider_that_is_not_installed_is_refused_in_words(tmp_path):
    path = builders.classifier(tmp_path / "model.onnx")
    with pytest.raises(Invalid, match=r"has no provider cuda \(installed: .*CPU\)") as refusal:
        OnnxRuntimeRunner(path, threads=1, settings=RuntimeSettings(provider="cuda"))
    assert (refusal.value.code, refusal.value.field) == ("provider_missing", "provider")


class Pretended:
    """ONNX Runtime as it is where a provider is installed: its sessions take what `uses` names."""

    def __init__(self, uses):
        self.uses, self.asked = uses, None

    def get_available_providers(self):
        return ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(self, _path, _options, *, providers):  # noqa: N802 -- the name of ONNX Runtime's class
        self.asked = providers
        return self

    def get_providers(self):
        return [self.uses, "CPUExecutionProvider"]


def test_a_provider_is_asked_with_its_options_and_those_it_falls_back_on(tmp_path, monkeypatch):
    runtime = Pretended("TensorrtExecutionProvider")
    monkeypatch.setattr(onnx_runtime, "engine", lambda: runtime)
    settings = RuntimeSettings(provider="tensorrt", options={"trt_fp16_enable": "1"})
    assert onnx_runtime.open_session(tmp_path, None, settings) is runtime
    assert runtime.asked == [
        ("TensorrtExecutionProvider", {"trt_fp16_enable": "1"}),
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]


def test_a_provider_that_does_not_work_here_is_not_replaced_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_runtime, "engine", lambda: Pretended("CPUExecutionProvider"))
    with pytest.raises(Invalid, match="cannot use its provider cuda on this machine"):
        onnx_runtime.open_session(tmp_path, None, RuntimeSettings(provider="cuda"))
