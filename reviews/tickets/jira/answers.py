"""Reads the answers of Jira under limits: unpacked bytes, depth, and time for a whole answer.

The server of a site may be a wrong one, or one that was taken over. `requests` alone would read an answer of any size
into memory, wait for one byte after the other, and guess the encoding of a long body for minutes.
"""

from collections.abc import Iterator
from typing import Any

import requests  # noqa: TID251 -- only this adapter uses HTTP
from requests.adapters import HTTPAdapter  # noqa: TID251 -- as above
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from weighbridge.core.documents import cleaned
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.http_answers import bounded
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

ANSWER = DocumentLimits(bytes_max=16_000_000, depth_max=200)
ERROR_BYTES_MAX = 100_000
"""Of an answer that refuses, no more is read: it has only a message for people."""
MESSAGE_CHARS_MAX = 300
MESSAGES_MAX = 20
CHUNK_BYTES = 1 << 16
_NOT_SIGNED_IN = frozenset({"AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"})


class AnswerUnreadable(requests.RequestException, ValueError):  # noqa: N818 -- named after what happened
    """The answer is larger than allowed."""


class Answer(requests.Response):
    """An answer whose body was read under limits."""

    def json(self, **_: Any) -> Any:
        """The strictly parsed body; ValueError if it is none. Of a refusal only the messages, as text."""
        try:
            value = parse_json(self.content, name="The answer", limits=ANSWER, is_cleaning=True)
        except Refused as refusal:
            raise ValueError(refusal.reason) from refusal
        return value if self.ok else _messages_in(value)


class BoundedAdapter(HTTPAdapter):
    """Sends as `requests` does, and reads under the limits. The read timeout counts for the whole answer."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that read under the limits."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send, and read the whole body; raise what `requests` raises, and AnswerUnreadable."""
        received = super().send(request, **(options | {"stream": True}))
        answer = Answer()
        answer.__dict__.update(received.__dict__)
        answer.encoding = "utf-8"  # of JSON; guessing takes minutes for a long body
        if "Authorization" in request.headers and _is_anonymous(received):
            answer.status_code = requests.codes.unauthorized
        with received:
            body = b"".join(_chunks(received, ANSWER.bytes_max if received.ok else ERROR_BYTES_MAX))
        answer._content, answer._content_consumed = body, True  # type: ignore[attr-defined]  # noqa: SLF001 -- where the library keeps a body that was read
        return answer


def _is_anonymous(received: requests.Response) -> bool:
    """Whether Jira refused the credential and answered as if nobody had signed in: 200 with nothing in it, or 404."""
    return received.headers.get("X-Seraph-LoginReason", "").strip() in _NOT_SIGNED_IN


def _chunks(received: requests.Response, bytes_max: int) -> Iterator[bytes]:
    left = bytes_max
    for chunk in received.iter_content(CHUNK_BYTES):
        if len(chunk) > left and received.ok:
            raise AnswerUnreadable(f"the answer is larger than {bytes_max:,} bytes")
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def _messages_in(value: object) -> dict[str, Any]:
    """The messages of a refusal in the form that Jira gives them; empty for any other form."""
    document = value if isinstance(value, dict) else {}
    general, fields = document.get("errorMessages"), document.get("errors")
    texts = general if isinstance(general, list) else []
    named = fields.items() if isinstance(fields, dict) else ()
    return {
        "errorMessages": [_short(text) for text in texts[:MESSAGES_MAX]],
        "errors": {_short(name): _short(text) for name, text in list(named)[:MESSAGES_MAX]},
    }


def _short(text: object) -> str:
    return cleaned(str(text), chars_max=MESSAGE_CHARS_MAX)


class _Whole:
    """The part of a connection that makes its read timeout count for the whole answer."""

    timeout: float | None

    def getresponse(self) -> HTTPResponse:
        total_s = float(self.timeout or 0.0)
        self.response_class = bounded(total_s=total_s, bytes_max=ANSWER.bytes_max)
        return super().getresponse()  # type: ignore[misc, no-any-return]  # of the connection beside it


class _Connection(_Whole, HTTPConnection):  # type: ignore[misc]  # as in the library, which answers with its own class
    """Without TLS."""


class _TlsConnection(_Whole, HTTPSConnection):  # type: ignore[misc]  # as above
    """With TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}
