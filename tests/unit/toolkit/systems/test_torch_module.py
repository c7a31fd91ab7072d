"""PyTorch modules, named and run."""

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.unit.toolkit.systems import modules
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.measurement import measure
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.systems import torch_device, torch_module
from weighbridge.systems.registry import system_of
from weighbridge.systems.torch_device import has_bfloat16
from weighbridge.systems.torch_module import TorchModule, TorchProgram, TorchRunner, check_torch, factory_of

HERE = "tests.unit.toolkit.systems.modules"
QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


X = InputSpec("x", "float32", ("n", 4))


def wanted(factory="line", **changes):
    return {
        "factory": f"{HERE}:{factory}",
        "inputs": [{"name": "x", "dtype": "float32", "shape": ["n", 4]}],
        "mode": "eager",
        "dtype": "float32",
        **changes,
    }


def test_a_module_is_profiled_like_a_file(tmp_path):
    x = np.tile(np.eye(4, dtype=np.float32), (10, 1)) * np.linspace(1, 2, 40, dtype=np.float32)[:, None]
    np.savez(tmp_path / "d.npz", x=x, y=np.tile([0, 1, 2, 2], 10))
    system = system_of({"system": "torch", "options": wanted()}, QUICK)
    result = measure(
        system,
        settings=QUICK,
        data=tmp_path / "d.npz",
        on_progress=lambda *_: None,
        now=datetime(2026, 11, 1, tzinfo=UTC),
        isolation="none",
    )
    assert result["metrics"]["parameters"]["value"] == 12
    assert result["metrics"]["model_size_mb"]["value"] == pytest.approx(48e-6)
    assert result["metrics"]["accuracy"]["value"] == 1.0
    assert result["manifest"]["engine"]["engine"] == "torch"
    assert result["manifest"]["model"]["digest"].startswith("sha256:")
    assert "flops" in [entry["metric"] for entry in result["missing"]]


def test_bfloat16_and_tuples_are_answered_as_float32():
    runner = TorchRunner(modules.line().bfloat16(), [X], mode="eager", dtype="bfloat16", threads=1)
    answer = runner.infer({"x": np.array([[1, 2, 3, 4]], dtype=np.float32)})[0]
    assert (answer.tolist(), answer.dtype) == ([[1.0, 2.0, 10.0]], np.float32)
    pair = TorchRunner(modules.Pair(), [InputSpec("x", "float32", (2, 4))], mode="eager", dtype="float32", threads=1)
    assert len(pair.infer({"x": np.zeros((2, 4), dtype=np.float32)})) == 2
    assert (runner.outputs, pair.outputs) == (("y",), ("y0", "y1"))
    assert (runner.inputs[0].shape, pair.inputs[0].shape) == (("n", 4), (2, 4))
    assert runner.describe()["dtype"] == "bfloat16"


def test_a_compiled_module_is_compiled(monkeypatch):
    torch = torch_module.torch_with(1)
    monkeypatch.setattr(torch, "compile", lambda module: lambda x: module(x) * 2)
    runner = TorchRunner(modules.line(), [X], mode="compiled", dtype="float32", threads=1)
    assert runner.infer({"x": np.ones((1, 4), dtype=np.float32)})[0].tolist() == [[2.0, 2.0, 8.0]]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("line", "is not a factory"),
        (f"{HERE}:", "is not a factory"),
        ("no.such.package:line", "cannot be imported: ModuleNotFoundError"),
        (f"{HERE}:BUILT", "has no factory 'BUILT'"),
        (f"{HERE}:none", "has no factory 'none'"),
    ],
)
def test_what_is_no_factory_is_refused(name, words):
    with pytest.raises(Invalid, match=words):
        factory_of(name)


def test_a_factory_that_returns_something_else_is_refused():
    system = TorchModule(wanted("number"), QUICK)
    assert system.sizes(None).metrics == {}
    assert set(system.sizes(None).missing) == {"flops", "parameters"}
    with pytest.raises(Invalid, match=r"returned int, not a torch\.nn\.Module"):
        system.load()


def test_bfloat16_needs_a_processor_that_has_it(monkeypatch):
    for flags, has_it in ((["avx2", "avx512_bf16"], True), (["bf16"], True), (["avx2"], False), ([], False)):
        monkeypatch.setattr(torch_device, "describe_machine", lambda flags=flags: {"cpu_flags": flags})
        assert has_bfloat16("cpu") is has_it
        check_torch(mode="compiled", dtype="float32", device="cpu")
        if has_it:
            check_torch(mode="eager", dtype="bfloat16", device="cpu")
            continue
        with pytest.raises(Invalid, match="does not support bfloat16"):
            check_torch(mode="eager", dtype="bfloat16", device="cpu")


@pytest.mark.parametrize("changes", [{"mode": "fast"}, {"dtype": "int8"}])
def test_a_mode_or_type_that_there_is_not_is_refused(changes):
    with pytest.raises(Invalid, match="PyTorch runs eager or compiled"):
        TorchModule(wanted(**changes), QUICK)


def test_a_factory_without_a_source_file_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(torch_module.inspect, "getsourcefile", lambda _: None)
    assert TorchModule(wanted(), QUICK).model["digest"].startswith("sha256:")


def test_several_inputs_are_given_by_their_names():
    ids, mask = InputSpec("ids", "int64", ("n", "seq")), InputSpec("mask", "float32", ("n", "seq"))
    runner = TorchRunner(modules.Masked(), [ids, mask], mode="eager", dtype="float32", threads=1)
    feed = {"mask": np.array([[1, 0]], dtype=np.float32), "ids": np.array([[3, 5]])}
    assert [array.tolist() for array in runner.infer(feed)] == [[3.0], [2]]
    assert runner.outputs == ("sum", "size")


def measured_program(path, inputs=()):
    system = TorchProgram({"model": str(path), "inputs": inputs}, QUICK)
    system.ready()
    return system, system.load()


def test_an_exported_program_declares_its_inputs(tmp_path):
    import torch

    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    program = torch.export.export(
        modules.Masked(),
        (torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 3)),
        dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
    )
    torch.export.save(program, tmp_path / "m.pt2")
    system, runner = measured_program(tmp_path / "m.pt2")
    assert [(spec.name, spec.dtype, len(spec.shape)) for spec in runner.inputs] == [
        ("ids", "int64", 2),
        ("mask", "float32", 2),
    ]
    assert all(isinstance(size, str) for spec in runner.inputs for size in spec.shape)
    feed = {"ids": np.array([[3, 5]]), "mask": np.array([[1, 1]], dtype=np.float32)}
    assert runner.infer(feed)[0].tolist() == [8.0]
    assert set(system.sizes(None).metrics) == {"model_size_mb"}


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_needs_its_inputs_stated(tmp_path):
    import torch

    torch.jit.trace(modules.line(), torch.ones(1, 4)).save(str(tmp_path / "m.jit"))
    with pytest.raises(Invalid, match="state each with --shape"):
        measured_program(tmp_path / "m.jit")
    _, runner = measured_program(tmp_path / "m.jit", [{"name": "x", "dtype": "float32", "shape": ["n", 4]}])
    assert runner.infer({"x": np.ones((1, 4), dtype=np.float32)})[0].tolist() == [[1.0, 1.0, 4.0]]


def test_a_file_that_is_no_program_is_refused(tmp_path):
    for name in ("m.pt2", "m.jit"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(Invalid, match="cannot be loaded by PyTorch"):
            measured_program(tmp_path / name)
    with pytest.raises(Invalid, match=r"There is no model file gone\.jit"):
        TorchProgram({"model": str(tmp_path / "gone.jit")}, QUICK)
