"""What the tests of notifications share: mail is set up, and a receiver of webhooks listens on this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.notifications.domain.events import Occurrence
from tests.standins.mail_server import MailServer, mail_server


@pytest.fixture(autouse=True)
def _always_with_mail(with_mail: None) -> None:
    """Every test here."""


def happened(kind: str = "decided", key: str = "a", **fields: Any) -> Occurrence:
    given = {"reference": "MRR-2026-0001", "path": "/somewhere/", "sentence": "It is approved."}
    return Occurrence(**{"kind": kind, "key": key} | given | fields)


@dataclass
class Receiver:
    """What arrived, and what is answered: (status, headers, body)."""

    url: str = ""
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            kept.headers.append(dict(self.headers))
            status, headers, body = kept.answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.url = f"http://localhost:{server.server_port}/hook"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[MailServer]:
    """A real mail server, and the settings that send mail to it."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server


def deliver_all(now: datetime) -> list[OutboxMessage]:
    """Deliver every message of notifications that is due."""
    due = OutboxMessage.objects.filter(kind__startswith="notification.").order_by("pk")
    return [one for pk in due.values_list("pk", flat=True) if (one := outbox.deliver(pk=pk, now=now)) is not None]
