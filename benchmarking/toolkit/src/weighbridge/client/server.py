"""HTTP client of a Weighbridge server, on the standard library only.

It streams uploads, does not follow redirects, speaks plain HTTP to this machine alone, and turns every error into a
message in plain text. An answer that is cut off or too large is no answer. A POST carries an idempotency key; if its
answer is lost, the client sends it once more.
"""

import contextlib
import dataclasses
import http
import http.client
import ipaddress
import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from weighbridge.client.feed.verdicts import plain_text
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.http_answers import body_of, bounded
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

TIMEOUT_S = 60.0
DOWNLOAD_S, DOWNLOAD_BYTES = 6 * 3600.0, 1 << 16
FILES = frozenset({http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT})
CHUNK_BYTES = 1 << 20
ANSWER = DocumentLimits(bytes_max=32 << 20)


class ServerRefused(Refused):
    """The server refused or did not answer; `http_status` is 0 without an answer."""

    default_code = "server_refused"

    def __init__(self, reason: str, *, http_status: int = 0) -> None:
        super().__init__(reason)
        self.http_status = http_status


@dataclasses.dataclass(frozen=True)
class Upload:
    """A multipart form: text fields and at most one file, with the boundary between its parts."""

    fields: Mapping[str, str]
    file: Path | None
    boundary: str

    def _head(self) -> bytes:
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        if self.file is not None:
            kind = mimetypes.guess_type(self.file.name)[0] or "application/octet-stream"
            name = self.file.name.replace("\\", "_").replace('"', "%22").replace("\r", "_").replace("\n", "_")
            parts.append(
                f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                f"Content-Type: {kind}\r\n\r\n"
            )
        return "".join(parts).encode()

    def _tail(self) -> bytes:
        return (("\r\n" if self.file is not None else "") + f"--{self.boundary}--\r\n").encode()

    @property
    def length(self) -> int:
        """Return the size of the body in bytes."""
        return len(self._head()) + (self.file.stat().st_size if self.file is not None else 0) + len(self._tail())

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in chunks."""
        yield self._head()
        if self.file is not None:
            with self.file.open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
        yield self._tail()


@dataclasses.dataclass(frozen=True)
class PlatformServer:
    """The address of the server and the API token, with the scheme in which the server takes it.

    `allows_plain`: HTTP without TLS to another machine, by choice.
    """

    url: str
    token: str
    timeout_s: float = TIMEOUT_S
    scheme: str = "Token"
    allows_plain: bool = False

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Get a document; raise ServerRefused."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, {}, b"")

    def post(self, path: str, document: Mapping[str, Any], *, key: str = "") -> dict[str, Any]:
        """Send a JSON document, under an idempotency key unless the call is harmless twice; raise ServerRefused."""
        body = json.dumps(document).encode()
        return self._send(path, {"Content-Type": "application/json"}, body, key)

    def upload(self, path: str, upload: Upload, *, key: str = "") -> dict[str, Any]:
        """Send a form with a file, under an idempotency key unless it is harmless twice; raise ServerRefused."""
        headers = {
            "Content-Type": f"multipart/form-data; boundary={upload.boundary}",
            "Content-Length": str(upload.length),
        }
        return self._send(path, headers, upload, key)

    def download(
        self,
        path: str,
        target: Path,
        *,
        bytes_max: int,
        should_stop: Callable[[], bool] = lambda: False,
        **query: str,
    ) -> None:
        """Write a file to `target`; what lies there already is its beginning, and is not asked for again.

        Raises ServerRefused, also once it `should_stop`; what came before a failure stays. The caller checks the digest
        of the whole.
        """
        start = target.stat().st_size if target.exists() else 0
        connection, base = self.connection()
        sent = {**self._authorization, **({"Range": f"bytes={start}-"} if start else {})}
        try:
            answer = self._opened(connection, f"{base}{path}?{urlencode(query)}", sent, bytes_max=bytes_max)
            mode = "ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb"
            with answer, target.open(mode) as file:
                for chunk in _chunks(answer, self.url):
                    file.write(chunk)
                    if should_stop():
                        raise ServerRefused("The download was stopped.")
        finally:
            connection.close()

    def _opened(
        self, connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str], *, bytes_max: int
    ) -> http.client.HTTPResponse:
        try:
            connection.request("GET", path, headers=dict(headers))
            connection.response_class = bounded(total_s=DOWNLOAD_S, bytes_max=bytes_max)  # type: ignore[assignment]  # called alike
            answer = connection.getresponse()
            text = body_of(answer, bytes_max=ANSWER.bytes_max) if answer.status >= http.HTTPStatus.BAD_REQUEST else b""
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerRefused(f"{self.url} does not answer: {str(error) or type(error).__name__}.") from error
        if answer.status not in FILES:
            answer.close()
            _document(max(answer.status, http.HTTPStatus.BAD_REQUEST), text, self.url)
        return answer

    def _send(self, path: str, headers: Mapping[str, str], body: bytes | Upload, key: str) -> dict[str, Any]:
        headers_with_key = {**headers, **({"Idempotency-Key": key} if key else {})}
        try:
            return self._ask("POST", path, headers_with_key, body)
        except ServerRefused as refused:
            if refused.http_status:
                raise
        return self._ask("POST", path, headers_with_key, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | Upload) -> dict[str, Any]:
        connection, base = self.connection()
        sent = {**self._authorization, "Accept": "application/json", **headers}
        try:
            # A server that refuses before it has read the whole file closes the connection; its answer says why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, base + path, body.chunks() if isinstance(body, Upload) else body, sent)
            connection.response_class = bounded(total_s=self.timeout_s, bytes_max=ANSWER.bytes_max)  # type: ignore[assignment]  # called alike
            answer = connection.getresponse()
            status, text = answer.status, body_of(answer, bytes_max=ANSWER.bytes_max)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerRefused(f"{self.url} does not answer: {str(error) or type(error).__name__}.") from error
        finally:
            connection.close()
        if answer.length:
            raise ServerRefused(f"The answer of {self.url} was cut off.")
        return _document(status, text, self.url)

    def connection(self) -> tuple[http.client.HTTPConnection, str]:
        """Return a connection that is not open yet, and the path before that of every call; raise ServerRefused."""
        parts = urlsplit(self.url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if parts.scheme not in kinds or not parts.hostname:
            raise ServerRefused(
                f"{self.url!r} is not the address of a server; write it like https://weighbridge.example.com."
            )
        if parts.scheme == "http" and not self.allows_plain and not _is_this_machine(parts.hostname):
            raise ServerRefused(f"{self.url} is on another machine; use https, so that nobody reads or changes it.")
        return kinds[parts.scheme](parts.hostname, parts.port, timeout=self.timeout_s), parts.path.rstrip("/")


def _chunks(answer: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    """Yield the body of a file; raise ServerRefused where it breaks off."""
    try:
        while chunk := answer.read(DOWNLOAD_BYTES):
            yield chunk
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ServerRefused(f"{url} does not answer: {str(error) or type(error).__name__}.") from error
    if answer.length:
        raise ServerRefused(f"The answer of {url} was cut off.")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _document(status: int, text: bytes, url: str) -> dict[str, Any]:
    try:
        document = parse_json(text, limits=ANSWER) if text else {}
    except Refused:
        document = None
    if not 200 <= status < 300:
        _refuse(status, document, url)
    if not isinstance(document, dict):
        raise ServerRefused(f"{url} did not answer with a JSON object.", http_status=status)
    return document


def _refuse(status: int, document: object, url: str) -> NoReturn:
    """Raise ServerRefused with the message of an error response (problem+json or any other)."""
    problem = document if isinstance(document, dict) else {}
    summary = str(problem.get("detail") or problem.get("title") or http.client.responses.get(status, "no reason given"))
    errors = problem.get("errors")
    faults = [fault for fault in errors if isinstance(fault, dict)] if isinstance(errors, list) else []
    details = [
        f"{fault.get('field')}: {fault.get('detail')}" for fault in faults if str(fault.get("detail")) not in summary
    ]
    words = plain_text(" ".join([summary, *details]))
    raise ServerRefused(f"{url} refused ({status}): {words}", http_status=status)
