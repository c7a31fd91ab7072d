"""PyTorch modules, named as `package.module:factory` on the command line, eager or compiled.

This runs the code of the module in this process. The name must never come from an upload; the platform does not use
this module.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure import metrics
from weighbridge.measure.conditions.manifest import describe_machine
from weighbridge.measure.conditions.model_file import BYTES_PER_MB
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import Sizes, import_named, register

MODES = ("eager", "compiled")
TYPES = ("float32", "bfloat16")
# Processor flags of bfloat16 support, on x86 and Arm.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


class TorchRunner:
    """A module in evaluation mode without gradients, on a fixed number of threads."""

    def __init__(
        self, make: Callable[[], Any], shape: Sequence[int | str], *, mode: str, dtype: str, threads: int
    ) -> None:
        """Create the module; `shape` is its input shape; a name is a free dimension."""
        torch = torch_with(threads)
        self._torch, self._mode, self._type, self._shape = torch, mode, dtype, shape
        module = make()
        if not isinstance(module, torch.nn.Module):
            raise Invalid(f"The factory returned {type(module).__name__}, not a torch.nn.Module.", field="torch")
        self.module = module.eval().to(getattr(torch, dtype))
        self._call = torch.compile(self.module) if mode == "compiled" else self.module
        self.outputs: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The described input; data is float32 and is cast to the type of the module."""
        return (InputSpec("x", "float32", tuple(self._shape)),)

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run the module once and return its outputs as float32; the conversions are part of the time."""
        torch = self._torch
        x = torch.from_numpy(np.ascontiguousarray(feed["x"])).to(getattr(torch, self._type))
        with torch.inference_mode():
            named = _named(self._call(x), torch)
        self.outputs = tuple(named)
        return [tensor.float().numpy() for tensor in named.values()]

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return {
            "engine": "torch",
            "version": self._torch.__version__,
            "mode": self._mode,
            "dtype": self._type,
            "intra_op_threads": self._torch.get_num_threads(),
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


@register("torch")
class TorchModule:
    """The module of the option `factory`, whose code this runs; other options are `shape`, `mode` and `dtype`."""

    is_here = True

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Find the factory; raise ExtraMissing without PyTorch, Invalid without a factory or bfloat16 support."""
        # Otherwise, the module of the factory would raise a less helpful error.
        import_extra("torch")
        name, self._shape = str(options["factory"]), list(options["shape"])
        self._mode, self._dtype = str(options.get("mode", "eager")), str(options.get("dtype", "float32"))
        check_torch(mode=self._mode, dtype=self._dtype, flags=describe_machine()["cpu_flags"])
        self._make, self._threads = factory_of(name), settings.scenario.threads
        file = inspect.getsourcefile(self._make)
        source = Path(file).read_bytes() if file else name.encode()
        digest = f"sha256:{hashlib.sha256(source).hexdigest()}"
        self.model = {"factory": name, "digest": digest, "shape": self._shape}
        self._sizes = _sizes(self._make())

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return size and parameters of the module."""
        return self._sizes

    def ready(self) -> object:
        """Import PyTorch."""
        return torch_with(self._threads)

    def load(self) -> TorchRunner:
        """Create the module."""
        return TorchRunner(self._make, self._shape, mode=self._mode, dtype=self._dtype, threads=self._threads)


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


def check_torch(*, mode: str, dtype: str, flags: Sequence[str]) -> None:
    """Raise Invalid for an unknown mode or type, and for bfloat16 on a processor without its `flags`."""
    if mode not in MODES or dtype not in TYPES:
        raise Invalid(f"PyTorch runs {' or '.join(MODES)}, in {' or '.join(TYPES)}.", field="torch")
    if dtype == "bfloat16" and BFLOAT16_FLAGS.isdisjoint(flags):
        text = "This processor does not support bfloat16, so PyTorch would emulate it slowly. Omit --bfloat16."
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
