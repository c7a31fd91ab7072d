"""The declared inputs of an ONNX file, read without running it."""

from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import TEXT, InputSpec


def declared_inputs(model: Path) -> tuple[InputSpec, ...]:
    """Return the inputs of an ONNX file; raise Invalid if it is missing or no ONNX file."""
    import onnx

    if not model.is_file():
        raise Invalid(f"There is no model file {model.name}.", code="model_missing", field="model")
    try:
        graph = onnx.load(str(model), load_external_data=False).graph
    except Exception as error:
        # The error class of protobuf is not typed, and only parsing can fail here.
        text = f"{model.name} cannot be read as an ONNX model, so its inputs are not known."
        raise Invalid(text, code="model_unreadable", field="model") from error
    weights = {tensor.name for tensor in graph.initializer}
    return tuple(_spec(entry) for entry in graph.input if entry.name not in weights)


def _spec(entry: Any) -> InputSpec:
    import onnx

    tensor = entry.type.tensor_type
    names = onnx.TensorProto.DataType
    dtype = names.Name(tensor.elem_type).lower() if entry.type.HasField("tensor_type") else "no tensor"
    known = {"float": "float32", "double": "float64", "string": TEXT}
    return InputSpec(entry.name, known.get(dtype, dtype), tuple(map(_size, tensor.shape.dim)))


def _size(dimension: Any) -> int | str | None:
    kind = dimension.WhichOneof("value")
    if kind == "dim_value":
        # Exporters of Paddle write -1 for a free dimension.
        return int(dimension.dim_value) if dimension.dim_value > 0 else None
    return str(dimension.dim_param) or None
