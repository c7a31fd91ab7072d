"""The HTTPS endpoint of the webhook, on the standard library: it reads one review and answers it."""

import json
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from weighbridge.client.feed.strict_json import read_object
from weighbridge.core.errors import Invalid, Refused

BYTES_MAX = 8 << 20
IDLE_S = 10.0
Review = Callable[[dict[str, Any]], dict[str, Any]]


class AdmissionServer(ThreadingHTTPServer):
    """Answers `POST /` with `review`, and `GET /healthz`. What it cannot read it answers with 400, which denies."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], review: Review, *, tls: Path | None) -> None:
        """Listen at the address. `tls` is a folder with `tls.crt` and `tls.key`; raise Invalid if they are unusable."""
        self.review = review
        self._tls = tls_context(tls) if tls is not None else None
        super().__init__(address, AdmissionHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS in the thread of the connection, so that a client that stalls delays nobody else."""
        request.settimeout(IDLE_S)
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke."""


class AdmissionHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: AdmissionServer
    timeout = IDLE_S

    def do_GET(self) -> None:
        """Say that the process lives."""
        self._answer(200 if self.path == "/healthz" else 404, {})

    def do_POST(self) -> None:
        """Answer one review."""
        try:
            document = read_object(self._body(), bytes_max=BYTES_MAX, name="The review")
            self._answer(200, self.server.review(document))
        except Refused as refused:
            self._answer(400, {"error": refused.reason})

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and int(length) <= BYTES_MAX):
            raise Invalid(f"The review must have a length of at most {BYTES_MAX:,} bytes.", code="not_a_review")
        return self.rfile.read(int(length))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the API server of the cluster logs denials."""


def tls_context(folder: Path) -> ssl.SSLContext:
    """Return the context of a server with `tls.crt` and `tls.key` of a folder; raise Invalid if they are unusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    except OSError as error:
        raise Invalid(
            f"The certificate tls.crt in {folder}, or its key tls.key, cannot be used.", code="bad_key"
        ) from error
    return context
