"""The gate before Django and behind it, asked as a WSGI server would: in one process, with the clock of the test."""

import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from reviews.feed.api.short_path import ShortPath

KEEPS_S = 5.0
PATH = "/api/v1/gate/"
COUNT = count()


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        return json.loads(self.body)


def environ_of(token: str, query: dict[str, str] | str, **others: Any) -> dict[str, Any]:
    """A question of a program over HTTP/1.1."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": query if isinstance(query, str) else urlencode(query),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Token {token}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    } | others


@dataclass
class Doors:
    """Both paths, at `now`; `now_s` is the steady clock, ahead of that of other tests, which keep their answers.

    `long_ways` counts how often the short path asked the long one.
    """

    now: datetime
    now_s: float = field(default_factory=lambda: 1e10 + 1e6 * next(COUNT))
    long_ways: int = 0
    short: ShortPath = field(init=False)

    def __post_init__(self) -> None:
        self._django = get_wsgi_application()
        self.short = ShortPath(self._counted)
        self.short.follower.call = lambda _now_s: None  # type: ignore[method-assign]  # a thread sees no open transaction

    def read(self) -> None:
        """What the thread of a web process does."""
        self.short.follower.read()

    def pass_span(self, seconds: float = KEEPS_S) -> None:
        """Time passes."""
        self.now_s += seconds

    def ask(self, token: str, query: dict[str, str] | str, **others: Any) -> Reply:
        """The answer of the web process."""
        return _asked(self.short, environ_of(token, query, **others))

    def ask_django(self, token: str, query: dict[str, str] | str, **others: Any) -> Reply:
        """The answer of Django's own path."""
        return _asked(self._django, environ_of(token, query, **others))

    def _counted(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.long_ways += 1
        return self._django(environ, start_response)


def _asked(application: Any, environ: dict[str, Any]) -> Reply:
    sent: list[Any] = []
    request_started.disconnect(close_old_connections)  # which would end the transaction of the test
    try:
        content = b"".join(application(environ, lambda status, headers, *_: sent.append((status, headers))))
    finally:
        request_started.connect(close_old_connections)
    return Reply(sent[0][0], dict(sent[0][1]), content)
