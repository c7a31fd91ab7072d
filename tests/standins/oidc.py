"""A stand-in of an OpenID Connect provider: one person who is always logged in there, on a port of this machine."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "weighbridge", "the client's own secret"


@dataclass
class Provider:
    """What the provider says of its person, and what it was asked."""

    claims: dict[str, Any]
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> "Provider":
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(urlsplit(self.path).path)
                if self.path.startswith("/authorize"):
                    query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                    back = f"{query['redirect_uri']}?{urlencode({'code': 'one-use', 'state': query['state']})}"
                    self.send_response(302)
                    self.send_header("Location", back)
                    self.end_headers()
                else:
                    self.answer(provider.document(urlsplit(self.path).path))

            def do_POST(self) -> None:
                provider.asked.append(self.path)
                self.rfile.read(int(self.headers["Content-Length"]))
                token = jwt.encode(provider.identity(), "a key nobody checks: it came by direct call")
                self.answer({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

            def answer(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def identity(self) -> dict[str, Any]:
        """The claims of the identity token."""
        return {"iss": self.url, "aud": CLIENT_ID, "iat": 1_700_000_000, "exp": 4_000_000_000, **self.claims}

    def document(self, path: str) -> dict[str, Any]:
        """What a GET of this path answers."""
        if path == "/userinfo":
            return self.claims
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
        }
