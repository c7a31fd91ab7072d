"""A model behind HTTP with a JSON body of any form: a template filled from the rows, and a path to the answer."""

import http.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.http_answers import body_of, bounded
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.load.generator.tls import tls_context
from weighbridge.load.messages import headers_from_file, hide_header_values
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.endpoint import EndpointFailed
from weighbridge.systems.external.rows import at_path, filled, outputs_of, specs_of_file
from weighbridge.systems.registry import OF_THIS_PROCESS, Sizes, register

TIMEOUT_S = 60.0
ANSWER_LIMITS = DocumentLimits(bytes_max=64 << 20, values_max=32_000_000)


class HttpRunner:
    """One persistent connection; not thread-safe. Redirects are not followed."""

    def __init__(
        self,
        url: str,
        inputs: Sequence[InputSpec],
        *,
        template: str,
        answer: str,
        headers: Mapping[str, str],
        ca_file: str,
    ) -> None:
        """Prepare the connection; raise Invalid for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url!r} is no address; write it like https://host/predict.", field="url")
        self.inputs, self._url, self._template, self._answer = tuple(inputs), url, template, answer
        self.outputs: tuple[str, ...] = ()
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", **headers}
        if parts.scheme == "https":
            context = tls_context(ca_file)
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=TIMEOUT_S, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Send one row and return the outputs of its answer; raise EndpointFailed."""
        body = filled(self._template, feed).encode()
        try:
            self._connection.request("POST", self._path, body, self._headers)
            self._connection.response_class = bounded(total_s=TIMEOUT_S, bytes_max=ANSWER_LIMITS.bytes_max)  # type: ignore[assignment]  # called alike
            answer = self._connection.getresponse()
            text = body_of(answer, bytes_max=ANSWER_LIMITS.bytes_max)
            if answer.status != http.client.OK:
                raise EndpointFailed(f"{self._url} answered {answer.status}: {text[:200].decode(errors='replace')}")
            document = parse_json(text, limits=ANSWER_LIMITS)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            raise EndpointFailed(f"{self._url} does not answer: {str(error) or type(error).__name__}.") from error
        except Refused as refused:
            self._connection.close()
            raise EndpointFailed(refused.reason) from refused
        named = outputs_of(at_path(document, self._answer))
        self.outputs = self.outputs or tuple(named)
        return [named[name] for name in self.outputs if name in named]

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest, without the values of headers."""
        return {"engine": "JSON over HTTP", "url": self._url, "headers": sorted(self._headers), "answer": self._answer}


@register("http-json", ignores=OF_THIS_PROCESS, reads_data=True)
class HttpJson:
    """The model at the option `url`.

    `template` is the file of the body with `{{ name }}` for each input, `answer` the dotted path of the answer in the
    response, `data` the file of the rows, `header_file` and `cacert` as for a load test.
    """

    is_here = False

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Read the template and the headers; raise Invalid."""
        self._options, self._url = options, str(options["url"])
        try:
            self._template = Path(options["template"]).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"The template {options['template']} cannot be read as text.", field="body") from error
        headers = headers_from_file(Path(options["header_file"])) if options.get("header_file") else []
        hide_header_values(headers)
        self._headers, self._inputs = dict(headers), specs_of_file(options, needs="A template")
        self.model = {"url": self._url, "digest": None}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the reasons why nothing about the size of the model is known."""
        names = ("model_size_mb", "parameters", "flops", "peak_memory_mb")
        return Sizes(missing={name: f"{name} is not available for a model behind HTTP." for name in names})

    def ready(self) -> None:
        """Do nothing, because there is no local engine."""

    def load(self) -> HttpRunner:
        """Prepare the connection."""
        return HttpRunner(
            self._url,
            self._inputs,
            template=self._template,
            answer=str(self._options.get("answer", "")),
            headers=self._headers,
            ca_file=str(self._options.get("cacert") or ""),
        )
