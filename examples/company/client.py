"""One person of the demo, speaking to the API as any program would."""

import secrets
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.client.server import PlatformServer, Upload

PATIENCE_S = 900.0
Document = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """A person with a token."""

    name: str
    server: PlatformServer

    def get(self, path: str, **query: str) -> Document:
        """Ask."""
        return self.server.get(f"/api/v1/{path}", **query)

    def post(self, path: str, **document: Any) -> Document:
        """Tell, once however often it is sent."""
        return self.server.post(f"/api/v1/{path}", document, key=secrets.token_hex(8))

    def upload(self, path: str, file: Path, **fields: str) -> Document:
        """Send a file."""
        upload = Upload(fields, file, boundary=f"weighbridge-{secrets.token_hex(8)}")
        return self.server.upload(f"/api/v1/{path}", upload, key=secrets.token_hex(8))

    def download(self, path: str) -> bytes:
        """Fetch a file."""
        request = urllib.request.Request(  # noqa: S310 -- the demo's own server on loopback
            f"{self.server.url}/api/v1/{path}", headers={"Authorization": f"Token {self.server.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- as above
            content: bytes = answer.read()
        return content


def wait(ask: Callable[[], Document], until: Callable[[Document], bool], tell: Callable[[Document], None]) -> Document:
    """Ask again and again until the answer will do; SystemExit after a quarter of an hour."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        said = ask()
        tell(said)
        if until(said):
            return said
        time.sleep(0.5)
    raise SystemExit(f"Nothing came of it within {PATIENCE_S:.0f} s; see the logs under var/logs. Last seen: {said}")
