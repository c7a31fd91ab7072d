"""The messages of the Open Inference Protocol over gRPC (KServe v2), made from their numbers and types.

Source: github.com/kserve/open-inference-protocol, specification/protocol/open_inference_grpc.proto.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.spec import TEXT

PACKAGE, SERVICE = "inference", "/inference.GRPCInferenceService/"
# Name of each message -> its fields as (name, number, type); `*` marks repeated fields.
MESSAGES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "ModelMetadataRequest": (("name", 1, "string"), ("version", 2, "string")),
    "TensorMetadata": (("name", 1, "string"), ("datatype", 2, "string"), ("shape", 3, "int64*")),
    "ModelMetadataResponse": (
        ("name", 1, "string"),
        ("versions", 2, "string*"),
        ("platform", 3, "string"),
        ("inputs", 4, "TensorMetadata*"),
        ("outputs", 5, "TensorMetadata*"),
    ),
    "InferTensorContents": (
        ("bool_contents", 1, "bool*"),
        ("int_contents", 2, "int32*"),
        ("int64_contents", 3, "int64*"),
        ("uint_contents", 4, "uint32*"),
        ("uint64_contents", 5, "uint64*"),
        ("fp32_contents", 6, "float*"),
        ("fp64_contents", 7, "double*"),
        ("bytes_contents", 8, "bytes*"),
    ),
    "InferTensor": (
        ("name", 1, "string"),
        ("datatype", 2, "string"),
        ("shape", 3, "int64*"),
        ("contents", 5, "InferTensorContents"),
    ),
    "ModelInferRequest": (
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("inputs", 5, "InferTensor*"),
        ("raw_input_contents", 7, "bytes*"),
    ),
    "ModelInferResponse": (
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("outputs", 5, "InferTensor*"),
        ("raw_output_contents", 6, "bytes*"),
    ),
}
TYPES = {
    "BOOL": "bool",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": TEXT,
    **{f"INT{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


@functools.cache
def message_class(name: str) -> Any:
    """Return the class of a message; raise ExtraMissing without protobuf."""
    descriptors = import_extra("google.protobuf.descriptor_pb2")
    kinds = descriptors.FieldDescriptorProto
    file = descriptors.FileDescriptorProto(name="open_inference.proto", package=PACKAGE, syntax="proto3")
    for message, fields in MESSAGES.items():
        made = file.message_type.add(name=message)
        for field, number, kind in fields:
            plain = kind.removesuffix("*")
            label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            if plain in MESSAGES:
                wanted = {"type": kinds.TYPE_MESSAGE, "type_name": f".{PACKAGE}.{plain}"}
            else:
                wanted = {"type": getattr(kinds, f"TYPE_{plain.upper()}")}
            made.field.add(name=field, number=number, label=label, **wanted)
    pool = import_extra("google.protobuf.descriptor_pool").DescriptorPool()
    pool.Add(file)
    factory = import_extra("google.protobuf.message_factory")
    return factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def bytes_of(array: NDArray[Any]) -> bytes:
    """Return an array as raw contents: little endian, texts with their length in four bytes before each."""
    if array.dtype.kind in "OU":
        texts = [str(text).encode() for text in array.ravel()]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def array_of(tensor: Any, raw: bytes | None) -> NDArray[Any]:
    """Return an output from its raw or typed contents; raise ValueError or LookupError for another form."""
    dtype = TYPES[tensor.datatype]
    if dtype == TEXT:
        texts = _texts(raw) if raw is not None else [each.decode() for each in tensor.contents.bytes_contents]
        return np.array(texts, dtype=object).reshape(tuple(tensor.shape))
    if raw is not None:
        return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).reshape(tuple(tensor.shape))
    kinds = {"b": "bool", "f": "fp64" if dtype == "float64" else "fp32"}
    whole = ("uint" if dtype.startswith("u") else "int") + ("64" if dtype.endswith("64") else "")
    values = getattr(tensor.contents, f"{kinds.get(np.dtype(dtype).kind, whole)}_contents")
    return np.array(values, dtype=dtype).reshape(tuple(tensor.shape))


def _texts(raw: bytes) -> list[str]:
    texts, position = [], 0
    while position < len(raw):
        length = int.from_bytes(raw[position : position + 4], "little")
        texts.append(raw[position + 4 : position + 4 + length].decode())
        position += 4 + length
    return texts
