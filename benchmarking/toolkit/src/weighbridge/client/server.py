"""The Weighbridge server, as a program at the terminal or in a pipeline sees it: HTTP by the standard library alone.

Uploads are streamed, redirects are not followed, and every error becomes a sentence. A POST carries an idempotency key
and is sent once more when its answer was lost, which the key makes safe.
"""

import dataclasses
import http.client
import json
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from weighbridge.core.errors import Refused

TIMEOUT_S = 60.0
PIECE_BYTES = 1 << 20
MOST_ANSWER_BYTES = 32 << 20


class ServerRefused(Refused):
    """The server answered no, or not at all; `http_status` is 0 without an answer."""

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

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, the file in pieces."""
        yield self._head()
        if self.file is not None:
            with self.file.open("rb") as stream:
                while piece := stream.read(PIECE_BYTES):
                    yield piece
        yield self._tail()


@dataclasses.dataclass(frozen=True)
class PlatformServer:
    """Where the server is, and with which token it is asked."""

    url: str
    token: str

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Ask for a document; raise ServerRefused."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, {}, b"")

    def post(self, path: str, document: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Send a JSON document under an idempotency key; raise ServerRefused."""
        body = json.dumps(document).encode()
        return self._send(path, {"Content-Type": "application/json"}, body, key)

    def upload(self, path: str, upload: Upload, *, key: str) -> dict[str, Any]:
        """Send a form with a file under an idempotency key; raise ServerRefused."""
        headers = {
            "Content-Type": f"multipart/form-data; boundary={upload.boundary}",
            "Content-Length": str(upload.length),
        }
        return self._send(path, headers, upload, key)

    def _send(self, path: str, headers: Mapping[str, str], body: bytes | Upload, key: str) -> dict[str, Any]:
        keyed = {**headers, "Idempotency-Key": key}
        try:
            return self._ask("POST", path, keyed, body)
        except ServerRefused as refused:
            if refused.http_status:
                raise
        return self._ask("POST", path, keyed, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | Upload) -> dict[str, Any]:
        connection, base = self._connection()
        sent = {"Authorization": f"Token {self.token}", "Accept": "application/json", **headers}
        try:
            connection.request(method, base + path, body.pieces() if isinstance(body, Upload) else body, sent)
            answer = connection.getresponse()
            status, text = answer.status, answer.read(MOST_ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise ServerRefused(f"{self.url} does not answer: {str(error) or type(error).__name__}.") from error
        finally:
            connection.close()
        return _document(status, text, self.url)

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        parts = urlsplit(self.url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if parts.scheme not in kinds or not parts.hostname:
            raise ServerRefused(
                f"{self.url!r} is no address of a server; it looks like https://weighbridge.example.com."
            )
        return kinds[parts.scheme](parts.hostname, parts.port, timeout=TIMEOUT_S), parts.path.rstrip("/")


def _document(status: int, text: bytes, url: str) -> dict[str, Any]:
    try:
        document = json.loads(text) if text else {}
    except ValueError:
        document = None
    if not 200 <= status < 300:
        _refuse(status, document, url)
    if not isinstance(document, dict):
        raise ServerRefused(f"{url} answered with something that is no JSON document.", http_status=status)
    return document


def _refuse(status: int, document: object, url: str) -> NoReturn:
    """Put an error answer (problem+json, or anything) into one sentence."""
    problem = document if isinstance(document, dict) else {}
    words = str(problem.get("detail") or problem.get("title") or http.client.responses.get(status, "no reason given"))
    errors = problem.get("errors")
    faults = [fault for fault in errors if isinstance(fault, dict)] if isinstance(errors, list) else []
    details = [
        f"{fault.get('field')}: {fault.get('detail')}" for fault in faults if str(fault.get("detail")) not in words
    ]
    raise ServerRefused(f"{url} refused ({status}): {' '.join([words, *details])}", http_status=status)
