"""Size, digest and number of parameters of a model file, read without running the model."""

import dataclasses
import errno
import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import name_of_weights, weight_files
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.core.model_files.inspection import inspect

BYTES_PER_MB = 1_000_000
# The domain of operators whose weights are attributes: trees, linear models, support vectors.
CLASSIC = "ai.onnx.ml"


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """Properties of a model file; `size_mb` is in megabytes of 1,000,000 bytes.

    `parameters` is None if the graph holds weights that are not tensors, or none at all: they are not counted.
    `weights` are the digests of the files beside it that hold weights; `size_mb` includes them.
    """

    digest: str
    size_mb: float
    parameters: int | None
    operators: dict[str, int]
    opsets: dict[str, int]
    weights: dict[str, str]


def digest_of_file(path: Path) -> str:
    """Return `sha256:<64 hex>` of a file, read in chunks."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def file_entry(path: Path | None) -> dict[str, str] | None:
    """Return the entry of a file in a manifest, which is its digest; None without a file."""
    return {"digest": digest_of_file(path)} if path is not None else None


def model_entry(path: Path) -> dict[str, Any]:
    """Return the entry of a model in a manifest: its digest, and those of the files beside it that hold its weights."""
    beside = {name_of_weights(path, file): digest_of_file(file) for file in weight_files(path)}
    return {"digest": digest_of_file(path), **({"weights": beside} if beside else {})}


def read_model(path: Path) -> ModelFile:
    """Read the structure of an ONNX file; raise Invalid if it, or its weights, are missing, unsafe or not ONNX.

    Raises MemoryError for a file that exceeds the memory limit of this process.
    """
    if not path.is_file():
        raise Invalid(f"There is no model file {path.name}.", code="model_missing", field="model")
    found = _format(path)
    if found in _OWN_SUFFIXES:
        text = (
            f"{path.name} is a model of {found}, which is measured by its suffix; name it like {_OWN_SUFFIXES[found]}."
        )
        raise Invalid(text, code="model_form", field="model")
    if found is not ArtifactFormat.ONNX:
        text = f"{path.name} contains weights without a graph and cannot run; export the model to ONNX to profile it."
        raise Invalid(text, code="model_weights_only", field="model")
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        # The error class of protobuf is not typed, and only parsing can fail here.
        text = f"{path.name} cannot be read as an ONNX model; export it again, or check that the copy is complete."
        raise Invalid(text, code="model_unreadable", field="model") from error
    entry, beside = model_entry(path), weight_files(path)
    counts = Counter(node.op_type for graph in _graphs(model.graph) for node in graph.node)
    return ModelFile(
        digest=entry["digest"],
        size_mb=sum(file.stat().st_size for file in (path, *beside)) / BYTES_PER_MB,
        parameters=_parameters(model),
        operators=dict(sorted(counts.items())),
        opsets={entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
        weights=entry.get("weights", {}),
    )


# Models that other systems run, which are found by the suffix.
_OWN_SUFFIXES = {
    ArtifactFormat.SKOPS: "model.skops",
    ArtifactFormat.XGBOOST: "model.ubj or model.json",
    ArtifactFormat.LIGHTGBM: "model.txt",
}


def _format(path: Path) -> ArtifactFormat:
    try:
        return inspect(path, name=path.name, allows_external=True).format
    except Invalid as refusal:
        # A file that exceeds the memory limit is not invalid.
        if isinstance(refusal.__cause__, OSError) and refusal.__cause__.errno == errno.ENOMEM:
            raise MemoryError(f"{path.name} does not fit into memory") from refusal
        raise


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
            for inner in attribute.graphs:
                yield from _graphs(inner)


def _parameters(model: Any) -> int | None:
    """Count the weights; None without any, or if trees and other classic models hold theirs in attributes."""
    classic = any(node.domain == CLASSIC for graph in _graphs(model.graph) for node in graph.node)
    return None if classic else sum(_weights(model.graph)) or None


def _weights(graph: Any) -> Iterator[int]:
    """Yield the element counts of initializers and constants, except of shapes, indices, flags, texts and scalars."""
    from onnx import TensorProto

    not_weights = (TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING)
    for part in _graphs(graph):
        constants = (
            a.t for node in part.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"
        )
        sparse = (tensor.values for tensor in part.sparse_initializer)
        for tensor in (*part.initializer, *sparse, *constants):
            if tensor.data_type not in not_weights and tensor.dims:
                yield math.prod(tensor.dims)
