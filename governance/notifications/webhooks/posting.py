"""Post one message to a checked address. No redirect is followed and no proxy is used."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from weighbridge.core.addresses import PORTS, PinnedAddress
from weighbridge.core.errors import Refused
from weighbridge.core.masking import HIDDEN, mask
from weighbridge.core.parsing.http_answers import AnswerTooLarge, body_of, bounded, retry_after_s

TIMEOUT_S, ANSWER_BYTES, ANSWER_CHARS = 10.0, 65_536, 1_000
SECRET_CHARS = 8  # a shorter part of an address is an ordinary word


@dataclass(frozen=True)
class WebhookReply:
    """What came back: the status, the first characters of the body, how long it took, and the wait that was asked."""

    status: int
    text: str
    taken_ms: int
    wait_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the message was accepted."""
        return 200 <= self.status < 300


class NoAnswer(Refused):
    """The webhook cannot be reached, or its answer cannot be read."""

    default_code = "no_answer"


def post(target: PinnedAddress, body: bytes, headers: Mapping[str, str], *, now: datetime) -> WebhookReply:
    """Send one message and return the answer. Raises NoAnswer."""
    started_s = time.monotonic()
    connection = _Pinned(target)
    try:
        connection.response_class = bounded(total_s=TIMEOUT_S, bytes_max=ANSWER_BYTES)  # type: ignore[assignment]  # called alike
        connection.request("POST", target.path, body, {"User-Agent": "Weighbridge", **headers})
        answer = connection.getresponse()
        wait_s, status = retry_after_s(answer.headers, now=now), answer.status
        text = body_of(answer, bytes_max=ANSWER_BYTES).decode(errors="replace")
    except AnswerTooLarge as error:
        raise NoAnswer(f"{target.host} answered more than {ANSWER_BYTES:,} bytes.") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{target.host} does not answer: {str(error) or type(error).__name__}.") from error
    finally:
        connection.close()
    taken_ms = round((time.monotonic() - started_s) * 1000)
    return WebhookReply(status, without_address(text, path=target.path)[:ANSWER_CHARS], taken_ms, wait_s)


def without_address(text: str, *, path: str) -> str:
    """The answer without the parts of the address, which can be its secret: servers repeat what they do not know."""
    for written in (path, unquote(path)):
        parts = [part for part in re.split(r"[/?&=;,]", written) if len(part) >= SECRET_CHARS]
        for part in sorted(parts, key=len, reverse=True):
            text = text.replace(part, HIDDEN)
    return mask(text)


class _Pinned(http.client.HTTPConnection):
    """A connection to the checked network address, with the name of the host for TLS and the Host header."""

    def __init__(self, target: PinnedAddress) -> None:
        super().__init__(target.host, target.port, timeout=TIMEOUT_S)
        self._target = target
        self.default_port = PORTS[target.scheme]

    def connect(self) -> None:
        """Connect to the address, never to what the name resolves to by now."""
        self.sock = socket.create_connection((self._target.address, self._target.port), TIMEOUT_S)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)
