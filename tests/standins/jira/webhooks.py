"""What the site says when something changes: signed deliveries, repeated, late, out of order, or never.

They go to this machine only. A delivery is sent by its own thread, or by the test itself with `flush`.
"""

import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.standins.jira.issues import Issues

RETRIED = {408, 409, 425, 429, *range(500, 600)}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed delivery, as it is sent each time."""

    identifier: str
    body: bytes
    signature: str

    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Hub-Signature": self.signature,
            "X-Atlassian-Webhook-Identifier": self.identifier,
            "X-Atlassian-Webhook-Flow": "Primary",
        }


Post = Callable[[Delivery], int]


@dataclass(slots=True)
class Webhooks:
    """Deliveries of every change of `issues`. Of `drop`, `duplicate` and `reorder` each is the share that meets it.

    `answers` keeps the status of each delivery sent, in order.
    """

    issues: Issues
    secret: str
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    sent: int = 0
    answers: list[int] = field(default_factory=list)
    waiting: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.issues.on_change = self._happened

    def _happened(self, event: str, issue: dict[str, Any]) -> None:
        """A change: what is to be sent of it, if it is not lost."""
        self.sent += 1
        delivery = self.signed(
            {
                "timestamp": int(self.issues.clock() * 1000),
                "webhookEvent": event,
                "issue": self.issues.shown(issue, ["summary", "status", "updated", "labels"]),
            }
        )
        if self.rng.random() < self.drop:
            return
        for _ in range(1 + (self.rng.random() < self.duplicate)):
            place = self.rng.randint(0, len(self.waiting)) if self.rng.random() < self.reorder else len(self.waiting)
            self.waiting.insert(place, delivery)

    def signed(self, document: Any) -> Delivery:
        """A delivery of any document, signed as Jira signs."""
        body = json.dumps(document).encode()
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return Delivery(f"{self.rng.getrandbits(128):032x}", body, f"sha256={digest}")

    def flush(self, post: Post) -> list[int]:
        """Send what waits; what is answered by an error of the server is kept for the next time."""
        answers, again = [], []
        while self.waiting:
            delivery = self.waiting.pop(0)
            answers.append(post(delivery))
            if answers[-1] in RETRIED:
                again.append(delivery)
        self.waiting += again
        self.answers += answers
        return answers


def post_to(url: str) -> Post:
    """Over HTTP, to this machine only."""
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1" or parts.scheme != "http":
        raise ValueError(f"{url} is not on this machine.")

    def post(delivery: Delivery) -> int:
        connection = HTTPConnection("127.0.0.1", parts.port, timeout=10)
        try:
            connection.request("POST", parts.path, delivery.body, delivery.headers())
            return connection.getresponse().status
        except OSError:
            return 503
        finally:
            connection.close()

    return post


class Sender(threading.Thread):
    """Sends what waits, again and again, until stopped."""

    def __init__(self, webhooks: Webhooks, url: str, *, every_s: float = 0.02) -> None:
        super().__init__(daemon=True)
        self.webhooks, self.post, self.every_s = webhooks, post_to(url), every_s
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            self.webhooks.flush(self.post)
            time.sleep(self.every_s)

    def stop(self) -> None:
        self._ended.set()
        self.join()
