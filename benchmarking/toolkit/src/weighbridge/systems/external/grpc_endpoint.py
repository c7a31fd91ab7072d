"""A model behind the Open Inference Protocol over gRPC, with one request per query. Times include the server."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.endpoint import EndpointFailed
from weighbridge.systems.external.inference_messages import (
    NAMES,
    SERVICE,
    TYPES,
    array_of,
    bytes_of,
    message_class,
)
from weighbridge.systems.registry import OF_THIS_PROCESS, Sizes, register

TIMEOUT_S = 60.0
ANSWER_BYTES_MAX = 64 << 20


class GrpcRunner:
    """One channel without encryption; not thread-safe."""

    def __init__(self, address: str) -> None:
        """Get the inputs of the model; `address` is `host:port/model`."""
        host, slash, model = address.removeprefix("grpc://").partition("/")
        if not slash or not model or ":" not in host:
            raise Invalid(f"{address!r} is no model; write it like 127.0.0.1:8001/shoes.", field="grpc")
        grpc = import_extra("grpc")
        self._address, self._model = address, model
        self._channel = grpc.insecure_channel(host, options=[("grpc.max_receive_message_length", ANSWER_BYTES_MAX)])
        self._errors = (grpc.RpcError, ValueError, LookupError, UnicodeDecodeError)
        self._infer = self._method("ModelInfer", "ModelInferResponse")
        with self._failures():
            ask = message_class("ModelMetadataRequest")(name=model)
            described = self._method("ModelMetadata", "ModelMetadataResponse")(ask, timeout=TIMEOUT_S)
        self.inputs = tuple(_spec(each) for each in described.inputs)
        self.outputs = tuple(each.name for each in described.outputs)
        if not self.inputs:
            raise Invalid(f"{address} does not declare the inputs of the model.", code="model_inputs", field="grpc")

    def _method(self, name: str, answer: str) -> Any:
        read = message_class(answer).FromString
        return self._channel.unary_unary(
            SERVICE + name, request_serializer=lambda message: message.SerializeToString(), response_deserializer=read
        )

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Send one request and return all outputs; raise EndpointFailed."""
        request = message_class("ModelInferRequest")(model_name=self._model)
        for name, array in feed.items():
            datatype = "BYTES" if array.dtype.kind in "OU" else NAMES[str(array.dtype)]
            request.inputs.add(name=name, datatype=datatype, shape=array.shape)
            request.raw_input_contents.append(bytes_of(array))
        with self._failures():
            answer = self._infer(request, timeout=TIMEOUT_S)
            raw = list(answer.raw_output_contents) or [None] * len(answer.outputs)
            named = {
                tensor.name: array_of(tensor, content) for tensor, content in zip(answer.outputs, raw, strict=True)
            }
            self.outputs = self.outputs or tuple(named)
            return [named[name] for name in self.outputs]

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            details = error.details() if hasattr(error, "details") else f"{type(error).__name__}: {error}"
            raise EndpointFailed(f"{self._address} failed: {details}.") from error

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return {"engine": "Open Inference Protocol over gRPC", "address": self._address}


def _spec(entry: Any) -> InputSpec:
    shape = tuple(int(size) if int(size) > 0 else None for size in entry.shape)
    return InputSpec(entry.name, TYPES.get(entry.datatype, entry.datatype), shape)


@register("grpc", ignores=OF_THIS_PROCESS)
class GrpcEndpoint:
    """The model at the option `address`, `host:port/model`, of unknown size and memory."""

    is_here = False

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Store the address without connecting."""
        self._address = str(options["address"])
        self.model = {"address": self._address, "digest": None}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the reasons why nothing about the size of the model is known."""
        names = ("model_size_mb", "parameters", "flops", "peak_memory_mb")
        return Sizes(missing={name: f"{name} is not available for a model behind gRPC." for name in names})

    def ready(self) -> object:
        """Import gRPC."""
        return import_extra("grpc")

    def load(self) -> GrpcRunner:
        """Connect and get the inputs of the model."""
        return GrpcRunner(self._address)
