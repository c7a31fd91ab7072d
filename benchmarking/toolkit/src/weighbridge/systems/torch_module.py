"""PyTorch modules, named as `package.module:factory` on the command line, eager or compiled, and exported programs.

Modules run on the processor, or on a card with the provider `cuda`. A call then copies its inputs to the card, waits
until all kernels have ended, and copies the outputs back, all of it within the time of the query, as ONNX Runtime does.

This runs the code of the module in this process. The name must never come from an upload; the platform does not use
this module.
"""

import hashlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure import metrics
from weighbridge.measure.conditions.model_file import BYTES_PER_MB, digest_of_file
from weighbridge.measure.inputs.data_set import ONLY
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import OF_ONNX_RUNTIME, Sizes, import_named, register
from weighbridge.systems.torch_device import ON_CPU, device_of, has_bfloat16

MODES = ("eager", "compiled")
PROGRAM = "program"
TYPES = ("float32", "bfloat16")


class TorchRunner:
    """A module or an exported program without gradients, on a fixed number of threads, on `device`."""

    def __init__(
        self, call: Any, inputs: Sequence[InputSpec], *, mode: str, dtype: str, threads: int, device: str = ON_CPU
    ) -> None:
        """Run `call`; inputs are given by their names, but those of a program and a single `x` by their places."""
        self._torch, self._device = torch_with(threads), device
        self._mode, self._type, self.inputs = mode, dtype, tuple(inputs)
        self._call = self._torch.compile(call) if mode == "compiled" else call
        self._is_by_place = mode == PROGRAM or [spec.name for spec in inputs] == [ONLY]
        self.outputs: tuple[str, ...] = ()

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run once and return the outputs, floats as float32; the conversions are part of the time."""
        torch = self._torch
        tensors = {name: self._tensor(array) for name, array in feed.items()}
        with torch.inference_mode():
            places = [tensors[spec.name] for spec in self.inputs]
            answer = self._call(*places) if self._is_by_place else self._call(**tensors)
            named = _named(answer, torch)
            if self._device != ON_CPU:
                # Kernels run on after the call returns, also those whose results are no output.
                torch.cuda.synchronize(self._device)
        self.outputs = tuple(named)
        return [(each.float() if each.is_floating_point() else each).cpu().numpy() for each in named.values()]

    def _tensor(self, array: NDArray[Any]) -> Any:
        tensor = self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
        return tensor.to(getattr(self._torch, self._type)) if tensor.is_floating_point() else tensor

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return {
            "engine": "torch",
            "version": self._torch.__version__,
            "mode": self._mode,
            "dtype": self._type,
            "intra_op_threads": self._torch.get_num_threads(),
            **({} if self._device == ON_CPU else self._describe_card()),
        }

    def _describe_card(self) -> dict[str, Any]:
        return {
            "device": self._device,
            "cuda": self._torch.version.cuda,
            "float32_matmul_precision": self._torch.get_float32_matmul_precision(),
        }


def _named(answer: Any, torch: Any) -> dict[str, Any]:
    """Return the tensors of an answer: of a mapping by its keys, of a tuple by their places, a single one as `y`."""
    if isinstance(answer, Mapping):
        return {str(name): tensor for name, tensor in answer.items() if isinstance(tensor, torch.Tensor)}
    if isinstance(answer, tuple | list):
        return {f"y{place}": tensor for place, tensor in enumerate(answer) if isinstance(tensor, torch.Tensor)}
    return {"y": answer}


def torch_with(threads: int) -> Any:
    """Import PyTorch and set its number of threads."""
    torch = import_extra("torch")

    torch.set_num_threads(threads)
    return torch


@register("torch", providers=(ON_CPU, "cuda"), ignores=OF_ONNX_RUNTIME)
class TorchModule:
    """The module of the option `factory`, whose code this runs; other options are `inputs`, `mode` and `dtype`.

    `inputs` are mappings with the `name`, `dtype` and `shape` of an `InputSpec`.
    """

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Find the factory; raise ExtraMissing without PyTorch, Invalid without a factory or bfloat16 support."""
        # Otherwise, the module of the factory would raise a less helpful error.
        import_extra("torch")
        name, self._inputs = str(options["factory"]), inputs_of(options["inputs"])
        self._mode, self._dtype = str(options.get("mode", "eager")), str(options.get("dtype", "float32"))
        self._device = device_of(settings.engine)
        check_torch(mode=self._mode, dtype=self._dtype, device=self._device)
        self._make, self._threads = factory_of(name), settings.scenario.threads
        file = inspect.getsourcefile(self._make)
        source = Path(file).read_bytes() if file else name.encode()
        digest = f"sha256:{hashlib.sha256(source).hexdigest()}"
        self.model = {"factory": name, "digest": digest, "inputs": list(options["inputs"])}
        self._sizes = _sizes(self._make())

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return size and parameters of the module."""
        return self._sizes

    def ready(self) -> object:
        """Import PyTorch."""
        return torch_with(self._threads)

    def load(self) -> TorchRunner:
        """Create the module."""
        torch, module = torch_with(self._threads), self._make()
        if not isinstance(module, torch.nn.Module):
            raise Invalid(f"The factory returned {type(module).__name__}, not a torch.nn.Module.", field="torch")
        call = module.eval().to(self._device).to(getattr(torch, self._dtype))
        return TorchRunner(
            call, self._inputs, mode=self._mode, dtype=self._dtype, threads=self._threads, device=self._device
        )


@register("torch-program", ignores=OF_ONNX_RUNTIME)
class TorchProgram:
    """The file of the option `model`: a program of `torch.export` (.pt2), or TorchScript with the option `inputs`.

    Loading such a file may run code, so that it is for files that the person trusts.
    """

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Find the file; raise ExtraMissing without PyTorch, Invalid if it is missing."""
        import_extra("torch")
        self._path, self._threads = Path(options["model"]), settings.scenario.threads
        self._inputs = inputs_of(options.get("inputs", ()))
        if not self._path.is_file():
            raise Invalid(f"There is no model file {self._path.name}.", code="model_missing", field="model")
        self.model = {"digest": digest_of_file(self._path)}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the size of the file."""
        size = metrics.point_metric(self._path.stat().st_size / BYTES_PER_MB, "MB")
        names = ("parameters", "flops")
        return Sizes({"model_size_mb": size}, {name: f"{name} are not counted for programs." for name in names})

    def ready(self) -> object:
        """Import PyTorch."""
        return torch_with(self._threads)

    def load(self) -> TorchRunner:
        """Load the program; raise Invalid if it cannot be loaded, or does not declare its inputs."""
        torch = torch_with(self._threads)
        try:
            if self._path.suffix == ".pt2":
                program = torch.export.load(self._path)
                call, declared = program.module(), program_inputs(program)
            else:
                with warnings.catch_warnings():
                    # TorchScript is deprecated, but there are files of it.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    call, declared = torch.jit.load(str(self._path), map_location="cpu").eval(), ()
        except Exception as error:
            # PyTorch raises errors of zip, of pickle and of its own.
            text = f"{self._path.name} cannot be loaded by PyTorch: {(str(error).splitlines() or [''])[0]}."
            raise Invalid(text, code="model_unreadable", field="model") from error
        inputs = self._inputs or declared
        if not inputs:
            text = "TorchScript does not declare its inputs; state each with --shape, like --shape x=n,3,224,224."
            raise Invalid(text, code="model_inputs", field="shape")
        return TorchRunner(call, inputs, mode=PROGRAM, dtype="float32", threads=self._threads)


def inputs_of(documents: Sequence[Mapping[str, Any]]) -> tuple[InputSpec, ...]:
    """Return inputs from mappings with `name`, `dtype` and `shape`."""
    return tuple(InputSpec(str(each["name"]), str(each["dtype"]), tuple(each["shape"])) for each in documents)


def program_inputs(program: Any) -> tuple[InputSpec, ...]:
    """Return the inputs of a program of `torch.export`; symbolic sizes are free dimensions."""
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    tensors = {name: nodes[name].meta["val"] for name in program.graph_signature.user_inputs}
    return tuple(
        InputSpec(
            name,
            str(tensor.dtype).removeprefix("torch."),
            tuple(size if isinstance(size, int) else str(size) for size in tensor.shape),
        )
        for name, tensor in tensors.items()
    )


def _sizes(module: Any) -> Sizes:
    missing = {"flops": "flops are counted only for ONNX graphs."}
    parameters = list(module.parameters()) if hasattr(module, "parameters") else []
    count = sum(tensor.numel() for tensor in parameters)
    if not count:
        return Sizes(missing={**missing, "parameters": "parameters are not counted: the module declares none."})
    size = sum(tensor.numel() * tensor.element_size() for tensor in (*parameters, *module.buffers()))
    return Sizes(
        {
            "model_size_mb": metrics.point_metric(size / BYTES_PER_MB, "MB"),
            "parameters": metrics.point_metric(count, "1"),
        },
        missing,
    )


def check_torch(*, mode: str, dtype: str, device: str) -> None:
    """Raise Invalid for an unknown mode or type, and for bfloat16 on a device without it."""
    if mode not in MODES or dtype not in TYPES:
        raise Invalid(f"PyTorch runs {' or '.join(MODES)}, in {' or '.join(TYPES)}.", field="torch")
    if dtype == "bfloat16" and not has_bfloat16(device):
        text = "This device does not support bfloat16, so PyTorch would emulate it slowly. Omit --bfloat16."
        raise Invalid(text, code="no_bfloat16", field="torch")


def factory_of(name: str) -> Callable[[], Any]:
    """Import `package.module:factory`; raise Invalid if it is not callable."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute.isidentifier():
        raise Invalid(f"{name!r} is not a factory; write package.module:factory.", field="torch")
    make = getattr(import_named(module_name, field="torch"), attribute, None)
    if not callable(make):
        raise Invalid(f"{module_name} has no factory {attribute!r}.", code="module_missing", field="torch")
    factory: Callable[[], Any] = make
    return factory
