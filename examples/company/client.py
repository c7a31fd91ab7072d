"""An API client for one user of the demo."""

import secrets
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.client.server import PlatformServer, Upload

PATIENCE_S = 900.0
OPEN = ("draft", "screening", "evidence", "in_review", "changes_requested")
Document = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """A user with a token."""

    name: str
    server: PlatformServer

    def get(self, path: str, **query: str) -> Document:
        """Send a GET request."""
        return self.server.get(f"/api/v1/{path}", **query)

    def post(self, path: str, **document: Any) -> Document:
        """Send a POST request with an idempotency key."""
        return self.server.post(f"/api/v1/{path}", document, key=secrets.token_hex(8))

    def upload(self, path: str, file: Path, **fields: str) -> Document:
        """Upload a file."""
        upload = Upload(fields, file, boundary=f"weighbridge-{secrets.token_hex(8)}")
        return self.server.upload(f"/api/v1/{path}", upload, key=secrets.token_hex(8))

    def withdraw_open(self, title: str) -> None:
        """Withdraw the user's own open requests with this title, which an interrupted demo left."""
        for state in OPEN:
            for row in self.get("requests/", mine="true", state=state)["results"]:
                if row["title"] == title:
                    self.post(f"requests/{row['ref']}/withdraw/", reason="An interrupted demo left it open.")

    def download(self, path: str) -> bytes:
        """Download a file."""
        request = urllib.request.Request(  # noqa: S310 -- the demo's own server on loopback
            f"{self.server.url}/api/v1/{path}", headers={"Authorization": f"Token {self.server.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- as above
            content: bytes = answer.read()
        return content


def wait(
    ask: Callable[[], Document], until: Callable[[Document], bool], report: Callable[[Document], None]
) -> Document:
    """Poll until the answer satisfies `until`. Raises SystemExit after a quarter of an hour."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        report(answer)
        if until(answer):
            return answer
        time.sleep(0.5)
    raise SystemExit(f"No result within {PATIENCE_S:.0f} s; see the logs under var/logs. Last answer: {answer}")
