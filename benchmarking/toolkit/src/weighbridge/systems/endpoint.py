"""Endpoint: a model behind the Open Inference Protocol over HTTP (KServe v2), with one request per query.

Times include the JSON request, the server and the answer. Redirects are not followed. Requests are sequential; the load
generator sends concurrent requests.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.http_answers import body_of, bounded
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import OF_THIS_PROCESS, Sizes, register

TIMEOUT_S = 60.0
ANSWER = DocumentLimits(bytes_max=64 << 20, values_max=32_000_000)
# Type names of the protocol, and of NumPy.
TYPES = {
    "BOOL": "bool",
    "BYTES": TEXT,
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    **{f"INT{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


class EndpointFailed(Refused):
    """The endpoint returned an error or did not answer."""

    default_code = "endpoint_failed"


class EndpointRunner:
    """One persistent connection; not thread-safe."""

    def __init__(self, url: str) -> None:
        """Get the inputs of the endpoint; `url` is the address of the model, like http://host:8000/v2/models/shoes."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            text = f"{url!r} is not the address of a model; write it like http://127.0.0.1:8000/v2/models/shoes."
            raise Invalid(text, field="url")
        self._url, self._path = url, parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        described = self._ask("GET", self._path, None)
        with self._odd_answers():
            self.inputs = tuple(_spec(entry) for entry in described.get("inputs", ()))
            self.outputs = tuple(str(entry["name"]) for entry in described.get("outputs", ()))
        if not self.inputs:
            raise Invalid(f"{url} does not declare the inputs of the model.", code="model_inputs", field="url")

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Send one request and return all outputs."""
        inputs = [
            {"name": name, "shape": list(x.shape), "datatype": _datatype(x), "data": x.ravel().tolist()}
            for name, x in feed.items()
        ]
        answer = self._ask("POST", f"{self._path}/infer", {"inputs": inputs})
        with self._odd_answers():
            by_name = {str(entry["name"]): entry for entry in answer.get("outputs", ())}
            self.outputs = self.outputs or tuple(by_name)
            return [_array(by_name[name]) for name in self.outputs]

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return {"engine": "Open Inference Protocol over HTTP", "url": self._url}

    @contextlib.contextmanager
    def _odd_answers(self) -> Iterator[None]:
        """Raise EndpointFailed for what reading an answer of another form raises."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            self._connection.close()
            raise EndpointFailed(f"{self._url} did not answer in the form of the Open Inference Protocol.") from error

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            status, text = self._sent(method, path, json.dumps(document) if document is not None else None)
            if status != http.client.OK:
                raise EndpointFailed(f"{self._url} answered {status}: {text[:200].decode(errors='replace')}")
            return parse_object(text, name=f"The answer of {self._url}", limits=ANSWER)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            raise EndpointFailed(f"{self._url} does not answer: {str(error) or type(error).__name__}.") from error
        except Refused as error:
            self._connection.close()
            raise EndpointFailed(error.reason) from error

    def _sent(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        """Send one request; return status and body of the answer."""
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        self._connection.response_class = bounded(total_s=TIMEOUT_S, bytes_max=ANSWER.bytes_max)  # type: ignore[assignment]  # called alike
        answer = self._connection.getresponse()
        return answer.status, body_of(answer, bytes_max=ANSWER.bytes_max)


def _datatype(x: NDArray[Any]) -> str:
    return "BYTES" if x.dtype.kind in "OU" else NAMES[str(x.dtype)]


def _array(entry: Mapping[str, Any]) -> NDArray[Any]:
    dtype = TYPES[entry["datatype"]]
    return np.array(entry["data"], dtype=object if dtype == TEXT else dtype).reshape(entry["shape"])


def _spec(entry: Mapping[str, Any]) -> InputSpec:
    shape = tuple(int(size) if int(size) > 0 else None for size in entry["shape"])
    return InputSpec(str(entry["name"]), TYPES.get(str(entry["datatype"]), str(entry["datatype"])), shape)


@register("http", ignores=OF_THIS_PROCESS)
class Endpoint:
    """The model at the option `url`, of unknown size and memory."""

    is_here = False

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Store the address without connecting."""
        self._url = str(options["url"])
        self.model = {"url": self._url, "digest": None}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the reasons why nothing about the size of the model is known."""
        names = ("model_size_mb", "parameters", "flops", "peak_memory_mb")
        return Sizes(missing={name: f"{name} is not available for a model behind HTTP." for name in names})

    def ready(self) -> None:
        """Do nothing, because there is no local engine."""

    def load(self) -> EndpointRunner:
        """Connect and get the inputs of the model."""
        return EndpointRunner(self._url)
