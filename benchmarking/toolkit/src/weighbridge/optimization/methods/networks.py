"""Networks: PyTorch models given as `package.module:factory`, and their export to ONNX.

A factory is the user's code and runs in this process with all permissions; never call one that an upload names.
"""

import hashlib
import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra

INPUT, OUTPUT, OPSET = "input", "scores", 17


def built(name: str) -> Any:
    """Return the `torch.nn.Module` of the factory `package.module:factory`; raise Invalid if that fails."""
    nn = import_extra("torch.nn")
    module, found, factory = name.partition(":")
    if not (module and found and factory):
        raise Invalid(f"{name!r} is not a factory; write package.module:factory.", code="factory", field="torch")
    # Like `python -m`: modules in the working directory, wherever the command is installed.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        network = getattr(importlib.import_module(module), factory)()
    except Exception as error:
        # The user's code may raise anything.
        text = f"{name} cannot be called: {type(error).__name__}: {error}."
        raise Invalid(text, code="factory", field="torch") from error
    if not isinstance(network, nn.Module):
        text = f"{name} returned a {type(network).__name__}; it must return a torch.nn.Module."
        raise Invalid(text, code="factory", field="torch")
    return network.eval()


def export(network: Any, path: Path, *, example: NDArray[Any]) -> None:
    """Write a network as ONNX with a dynamic batch size; raise Invalid if that fails. `example` has shape (1, ...)."""
    torch = import_extra("torch")

    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {INPUT: {0: "n"}, OUTPUT: {0: "n"}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(),
                (torch.from_numpy(example),),
                str(path),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,
            )
    except Exception as error:
        # The exporter has no exception class of its own, and the network may raise anything.
        text = f"The network cannot be written as ONNX: {type(error).__name__}: {error}"
        raise Invalid(text, code="export", field="torch") from error


def digest_of_weights(network: Any) -> str:
    """Return `sha256:<64 hex>` over the names, shapes and values of all weights and buffers."""
    state = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    return digest_of({name: [list(array.shape), digest_of_array(array)] for name, array in state.items()})


def digest_of_array(array: NDArray[Any]) -> str:
    """Return the SHA-256 (64 hex) of an array's values in order."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def parameters(network: Any) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
