"""A server on loopback that answers what a test tells it, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from weighbridge.client.server import PlatformServer


class Desk:
    """The server's side: `answers` by (method, path) are (status, document or bytes); None drops the line."""

    def __init__(self, url):
        self.server = PlatformServer(url, "t0ken")
        self.answers = {}
        self.asked = []

    def answer(self, method, path):
        given = self.answers[method, path]
        return (
            given.pop(0)
            if isinstance(given, list) and len(given) > 1
            else given[0]
            if isinstance(given, list)
            else given
        )


@pytest.fixture
def desk():
    class Handler(BaseHTTPRequestHandler):
        def serve(self):
            body = self._body()
            found.asked.append((self.command, self.path, dict(self.headers), body))
            answer = found.answer(self.command, self.path.partition("?")[0])
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        do_GET = do_POST = do_PUT = serve  # noqa: N815 -- the names http.server calls

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found = Desk(f"http://127.0.0.1:{server.server_port}/base")
    yield found
    server.shutdown()
    server.server_close()
    thread.join()
