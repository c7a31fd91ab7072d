"""The server of the page: one secret path, and nothing else answers.

Every response has a strict content policy, so that the page loads nothing from another site, and is isolated from other
origins, so that threads and a fine clock are available. A request has a deadline, a body a limit.
"""

import contextlib
import hmac
import io
import json
import secrets
import shutil
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid, NotFound, Refused, TooLarge
from weighbridge.systems.device.report import REFUSAL, REPORT
from weighbridge.systems.device.runtime import BrowserRuntime
from weighbridge.systems.device.session import Session

PAGE = {path.name: path for path in (Path(__file__).parent / "page").iterdir()}
START = next(path for path in PAGE.values() if path.suffix == ".html")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
HEAD_S, BODY_S, SEND_S, LAST_ANSWER_S = 15.0, 120.0, 30.0, 5.0
MAX_CONNECTIONS = 32
CHUNK = 65_536


class DeviceServer(ThreadingHTTPServer):
    """Serves the page of one session below a secret path."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 2 * MAX_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        session: Session,
        runtime: BrowserRuntime,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen at the address; raise Invalid if that is not possible."""
        self.session, self.runtime, self.tls = session, runtime, tls
        self.token = secrets.token_urlsafe(24)
        self.picture = b""
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._answering, self._answered = 0, threading.Condition()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, DeviceHandler)
        except (OSError, OverflowError) as error:
            text = f"The address {address[0]}:{address[1]} cannot be used: {error}."
            raise Invalid(text, code="address", field="host") from error

    def server_bind(self) -> None:
        """Bind without looking up the name of this machine, which may take long and is not needed."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count an answer that is on its way."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def wait_for_answers(self, limit_s: float = LAST_ANSWER_S) -> None:
        """Wait until the answers on their way have left, so that the last device sees its result."""
        with self._answered:
            self._answered.wait_for(lambda: self._answering == 0, timeout=limit_s)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread, or close the connection if there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS, if asked for, in the thread of the connection, so that a client that stalls delays nobody else."""
        request.settimeout(HEAD_S)
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke."""


class DeadlineReader(io.RawIOBase):
    """Reads a socket until a moment, however slowly the other side sends."""

    def __init__(self, connection: socket.socket, *, until: float) -> None:
        super().__init__()
        self._connection, self.until = connection, until

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come; raise TimeoutError after the moment."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The request took too long.")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class DeviceHandler(BaseHTTPRequestHandler):
    """One connection with one request."""

    server: DeviceServer

    def setup(self) -> None:
        """Give the request a deadline."""
        super().setup()
        self.rfile.close()
        self._reader = DeadlineReader(self.connection, until=time.monotonic() + HEAD_S)
        self.rfile = io.BufferedReader(self._reader)

    def do_GET(self) -> None:
        """Serve a file of the page, of the runtime, or the model with its queries."""
        try:
            name = self._asked()
            if name == "about":
                self._send_json({**self.server.session.about(), "has_code": bool(self.server.picture)})
            else:
                self._send(*self._content(name))
        except Refused as refused:
            self._answer(refused)

    def do_POST(self) -> None:
        """Open a run, or take its result."""
        with self.server.answering():
            try:
                self._send_json(self._posted(self._asked()))
            except Refused as refused:
                self._answer(refused)

    def _posted(self, name: str) -> dict[str, Any]:
        session = self.server.session
        match name:
            case "runs":
                return session.begin()
            case "results":
                return summary_of(session.accept(self._body(REPORT.bytes_max)))
            case "refusals":
                session.refuse(self._body(REFUSAL.bytes_max))
                return {}
        raise NotFound("There is nothing here.")

    def _asked(self) -> str:
        """Return the path below the secret; raise NotFound without the secret."""
        _, _, rest = self.path.partition("/")
        token, _, name = rest.partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise NotFound("There is nothing here.")
        return name.partition("?")[0]

    def _content(self, name: str) -> tuple[Path | bytes, str]:
        """Return a file or bytes, and their type; only known names have any."""
        job = self.server.session.job
        if name in ("", *PAGE):
            file = PAGE.get(name, START)
            return file, TYPES[file.suffix]
        if name.startswith("runtime/"):
            found = self.server.runtime.file(name.removeprefix("runtime/"))
            if found is not None:
                return found, TYPES[found.suffix]
        place = name.removeprefix("weights/")
        if name != place and place in map(str, range(len(job.weights))):
            return job.weights[int(place)], "application/octet-stream"
        known: dict[str, tuple[Path | bytes, str]] = {
            "model": (job.model, "application/octet-stream"),
            "queries": (job.values, "application/octet-stream"),
            **({"qr.svg": (self.server.picture, TYPES[".svg"])} if self.server.picture else {}),
        }
        if name not in known:
            raise NotFound("There is nothing here.")
        return known[name]

    def _body(self, most: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and len(length) < 12):
            raise Invalid("The request needs a length.", field="body")
        if int(length) > most:
            raise TooLarge(f"The request is larger than the {most:,} bytes allowed.", field="body")
        self._reader.until = time.monotonic() + BODY_S
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Invalid("The request ended early.", field="body")
        return body

    def _send_json(self, document: object, status: int = 200) -> None:
        self._send(json.dumps(document).encode(), TYPES[".json"], status)

    def _answer(self, refused: Refused) -> None:
        self._send_json({"reason": refused.reason}, refused.status)

    def _send(self, content: Path | bytes, kind: str, status: int = 200) -> None:
        self.connection.settimeout(SEND_S)
        with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            self.send_response(status)
            for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(size)}.items():
                self.send_header(name, value)
            self.end_headers()
            shutil.copyfileobj(stream, self.wfile, CHUNK)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is not HTTP, or of another method, in the same form."""
        self._send_json({"reason": "There is nothing here."}, code)

    def version_string(self) -> str:
        """Return the name of the program, without versions."""
        return "weighbridge"

    def log_message(self, *_: object) -> None:
        """Say nothing: addresses of users are nobody's business."""


def summary_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of its result."""
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "load_time_ms", "first_inference_ms")
    metrics = document["metrics"]
    here = document["here"]
    return {
        "verdict": document["verdict"],
        "metrics": {name: metrics[name] for name in names if name in metrics},
        "here": {name: here["metrics"][name] for name in names if name in here["metrics"]} if here else {},
        "agreement": document["agreement"],
        "notes": document["notes"],
        "missing": document["missing"],
    }
