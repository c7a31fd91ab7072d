"""ONNX Runtime behind the runner."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.scenarios import PROVIDERS, RuntimeSettings
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


@pytest.mark.parametrize(
    ("provider", "distribution"),
    [("cuda", "onnxruntime-gpu"), ("tensorrt", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino")],
)
def test_a_provider_that_is_not_installed_is_refused_with_what_to_install(tmp_path, provider, distribution):
    path = builders.classifier(tmp_path / "model.onnx")
    words = rf"has no provider {provider} \(installed: .*CPU\); install {distribution} in its place"
    with pytest.raises(Invalid, match=words) as refusal:
        OnnxRuntimeRunner(path, threads=1, settings=RuntimeSettings(provider=provider))
    assert (refusal.value.code, refusal.value.field) == ("provider_missing", "provider")


class Pretended:
    """ONNX Runtime as it is where a provider is installed: its sessions take what `uses` names, and run `nodes`."""

    def __init__(self, uses, nodes=None):
        self.uses, self.asked, self.fallback = uses, None, None
        self.nodes = {uses: ["MatMul", "Relu"], "CPUExecutionProvider": ["Shape"]} if nodes is None else nodes

    def get_available_providers(self):
        names = ("Tensorrt", "CUDA", "OpenVINO", "CPU")
        return [f"{name}ExecutionProvider" for name in names]

    def InferenceSession(self, _path, _options, *, providers, enable_fallback):  # noqa: N802 -- the name of ONNX Runtime's class
        self.asked, self.fallback = providers, enable_fallback
        return self

    def get_providers(self):
        return list(dict.fromkeys((self.uses, "CPUExecutionProvider")))

    def get_provider_graph_assignment_info(self):
        return [SimpleNamespace(ep_name=name, get_nodes=lambda own=own: own) for name, own in self.nodes.items()]


class Older(Pretended):
    """ONNX Runtime before 1.24, which does not tell who runs a node."""

    def __getattribute__(self, name):
        if name == "get_provider_graph_assignment_info":
            raise AttributeError(name)
        return super().__getattribute__(name)


def opened(tmp_path, monkeypatch, runtime, **settings):
    wanted = RuntimeSettings(**settings)
    options = onnx_runtime.session_options(3, wanted)
    monkeypatch.setattr(onnx_runtime, "engine", lambda: runtime)
    return onnx_runtime.open_session(tmp_path / "m.onnx", options, wanted)


def test_a_provider_is_asked_with_its_options_and_those_it_falls_back_on(tmp_path, monkeypatch):
    runtime = Pretended("TensorrtExecutionProvider")
    assert opened(tmp_path, monkeypatch, runtime, provider="tensorrt", options={"trt_fp16_enable": "1"}) is runtime
    assert runtime.asked == [
        ("TensorrtExecutionProvider", {"trt_fp16_enable": "1"}),
        ("CUDAExecutionProvider", {"device_id": "0"}),
        ("CPUExecutionProvider", {}),
    ]
    assert onnx_runtime.nodes_by_provider(runtime) == {"CPU": 1, "Tensorrt": 2}


def test_a_session_never_changes_its_provider_after_a_failure(tmp_path, monkeypatch):
    for provider, name in PROVIDERS.items():
        runtime = Pretended(name)
        opened(tmp_path, monkeypatch, runtime, provider=provider)
        assert runtime.fallback == 0
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, {"device_type": "CPU", "num_of_threads": "3"}),
        ({"num_of_threads": "8"}, {"device_type": "CPU", "num_of_threads": "8"}),
        ({"device_type": "GPU.1", "cache_dir": "c"}, {"device_type": "GPU.1", "cache_dir": "c"}),
    ],
)
def test_openvino_is_given_the_device_and_the_threads(tmp_path, monkeypatch, options, asked):
    runtime = Pretended("OpenVINOExecutionProvider")
    opened(tmp_path, monkeypatch, runtime, provider="openvino", options=options)
    assert runtime.asked == [("OpenVINOExecutionProvider", asked), ("CPUExecutionProvider", {})]


def test_a_provider_that_does_not_work_here_is_not_replaced_in_silence(tmp_path, monkeypatch):
    with pytest.raises(Invalid, match="cannot use its provider cuda on this machine"):
        opened(tmp_path, monkeypatch, Pretended("CPUExecutionProvider"), provider="cuda")


def test_a_provider_that_runs_nothing_is_refused(tmp_path, monkeypatch):
    runtime = Pretended("CUDAExecutionProvider", {"CPUExecutionProvider": ["MatMul"]})
    with pytest.raises(Invalid, match=r"cuda runs no operator of m\.onnx; all of them run on the processor") as refusal:
        opened(tmp_path, monkeypatch, runtime, provider="cuda")
    assert refusal.value.code == "provider_unused"


@pytest.mark.parametrize("runtime", [Older("CUDAExecutionProvider"), Pretended("CUDAExecutionProvider", {})])
def test_a_session_that_does_not_tell_who_runs_a_node_or_has_none_is_believed(tmp_path, monkeypatch, runtime):
    assert opened(tmp_path, monkeypatch, runtime, provider="cuda") is runtime
