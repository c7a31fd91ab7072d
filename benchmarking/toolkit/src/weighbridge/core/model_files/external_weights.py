"""Weights of an ONNX model in other files beside it, as exporters write them for large models."""

import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.inspection import inspect


def weight_files(model: Path) -> tuple[Path, ...]:
    """Return the files of weights beside an ONNX file, each once; empty if it contains its weights, or is not ONNX.

    Raises Invalid for a path that leads out of the folder of the model, and for a file that is missing or a link.
    """
    if not _keeps_weights_elsewhere(model):
        return ()
    import onnx

    try:
        network = onnx.load(str(model), load_external_data=False)
    except Exception:  # noqa: BLE001 -- whoever reads the model itself says what is wrong with it
        return ()
    names = dict.fromkeys(_names(network))
    return tuple(_checked(model, name) for name in names)


def name_of_weights(model: Path, file: Path) -> str:
    """Return the name of a file of weights relative to the folder of its model."""
    return file.relative_to(model.parent.resolve()).as_posix()


def _keeps_weights_elsewhere(model: Path) -> bool:
    """Whether the file is an ONNX model whose only fault is weights in other files; reads it without its library."""
    try:
        inspect(model, name=model.name)
    except Invalid as refusal:
        return refusal.code == "external_data"
    return False


def _names(message: Any) -> Iterator[str]:
    """Yield the location of each tensor with external data, in every graph and function."""
    import onnx

    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL:
            yield next((entry.value for entry in message.external_data if entry.key == "location"), "")
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                yield from _names(each)


def _checked(model: Path, name: str) -> Path:
    place, folder = PurePosixPath(name), model.parent.resolve()
    if not name or not (folder / place).resolve().is_relative_to(folder):
        text = f"{model.name} names weights at {name!r}, which is not in its own folder."
        raise Invalid(text, code="external_data", field="model")
    path = folder / place
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        is_file = False
    if not is_file:
        text = f"{model.name} keeps weights in {name}, which is missing or a link; copy both files into one folder."
        raise Invalid(text, code="external_data", field="model")
    return path
