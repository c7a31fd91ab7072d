"""The gate before Django: a question whose answer is in memory is answered there, a thousand times a second.

It decides nothing that is decided elsewhere: host, transport, token, scope, roles and headers are those that Django's
own path found for the same door (`passes`), the limit of calls is the same counter, the answer is made by the same
functions. Everything else, every refusal among it, goes the long way.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.urls import reverse
from django.utils import timezone

from governance.audit.domain import correlation as trace
from governance.people.queries.people import gate_keeps_s
from governance.site.api.limits import ReadLimit
from governance.site.domain.problems import MEDIA_TYPE, refusal_document
from governance.site.web.middleware import log_call
from governance.site.web.outages import Outage
from reviews.feed.api.follower import Age, FeedFollower
from reviews.feed.api.gate import ASKED, Asked, body_of
from reviews.feed.api.passes import Door, Pass, Passes, door_of
from reviews.feed.queries.memory import FeedMemory, decide_from_memory, decide_without_database
from reviews.requests.enums import ENVIRONMENT_NAMES

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Headers = list[tuple[str, str]]
Reply = tuple[HTTPStatus, bytes, Headers]
QUESTION = re.compile(rf"subject=(sha256)(?::|%3A)([0-9a-f]{{64}})&env=({'|'.join(ENVIRONMENT_NAMES)})")
log = logging.getLogger(__name__)
OWN_HEADERS = frozenset({"content-length", trace.HEADER.lower()})
TOO_OLD = (
    "The database does not answer, and the gate last read the feed at {as_of:%Y-%m-%d %H:%M:%S} UTC, too long ago to"
    " tell whether this artifact may run. Decide by a mirror of the feed, or ask again in half a minute."
)


class ShortPath:
    """A WSGI application in front of another one, which answers what this one cannot."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.memory, self.passes, self.limit = FeedMemory(), Passes(), ReadLimit()
        self.follower = FeedFollower(self.memory, self.passes)
        self._path = reverse("api:gate")

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer from memory, or the long way."""
        question = self._question(environ)
        door = door_of(environ) if question else None
        if question is None or door is None or not gate_keeps_s():
            return self.application(environ, start_response)
        begun_s = time.monotonic()
        self.follower.call(begun_s)
        held = self.passes.get(door)
        reply = self._reply_or_none(held, question, begun_s) if held else None
        if held is None or reply is None:
            return self._ask(environ, start_response, door, question)
        return self._send(reply, held, start_response, begun_s)

    def _reply_or_none(self, held: Pass, question: tuple[str, str], now_s: float) -> Reply | None:
        """The reply; None if there is none, or if it fails: the other application says why."""
        try:
            return self._reply(held, question, now_s)
        except Exception:
            log.exception("The gate could not answer from memory; the question goes the long way.")
            return None

    def _question(self, environ: Environ) -> tuple[str, str] | None:
        """(digest, environment) of a question as programs write it."""
        if environ.get("PATH_INFO") != self._path or environ["REQUEST_METHOD"] != "GET":
            return None
        has_body = environ.get("CONTENT_LENGTH") not in {None, "", "0"} or environ.get("HTTP_TRANSFER_ENCODING")
        found = None if has_body else QUESTION.fullmatch(environ.get("QUERY_STRING", ""))
        return (f"{found[1]}:{found[2]}", found[3]) if found else None

    def _reply(self, held: Pass, question: tuple[str, str], now_s: float) -> Reply | None:
        """The answer as far as memory may be used; None otherwise. Only an answer counts for the limit of calls."""
        age, now = self.follower.age(held, now_s=now_s), timezone.now()
        if age is Age.LATE or not held.is_usable(now=now, now_s=now_s, is_noted=age is Age.FRESH):
            return None
        if age is Age.OVER:
            return _too_old(self.memory)
        digest, environment = question
        if age is Age.FRESH:
            answer = decide_from_memory(
                self.memory, digest=digest, environment=environment, person=held.person, now=now, now_s=now_s
            )
        else:
            answer = decide_without_database(
                self.memory, digest=digest, environment=environment, person=held.person, now=now
            )
        if answer is None or not self.limit.admits(self.limit.key_of(held.person.id)):
            return None
        return HTTPStatus.OK, body_of(answer), list(held.headers)

    def _send(self, reply: Reply, held: Pass, start_response: Start, begun_s: float) -> list[bytes]:
        status, body, headers = reply
        request_id = uuid.uuid4().hex
        with trace.correlated(request_id=request_id, user_id=str(held.person.id)):
            log_call("GET", self._path, status=status, taken_ms=round((time.monotonic() - begun_s) * 1000))
        own = [("Content-Length", str(len(body))), (trace.HEADER, request_id)]
        start_response(f"{status.value} {status.phrase}", [*headers, *own])
        return [body]

    def _ask(self, environ: Environ, start_response: Start, door: Door, question: tuple[str, str]) -> Iterable[bytes]:
        """The answer of the other application; what it found out is kept."""
        begun_s, root, sent = time.monotonic(), self.memory.state.root, Headers()

        def noted(status: str, headers: Headers, *error: Any) -> Any:
            sent.extend(headers if status.startswith("200") else ())
            return start_response(status, headers, *error)

        body = self.application(environ, noted)
        asked: Asked | None = environ.pop(ASKED, None)
        if asked is not None and asked.token is not None and sent:
            headers = tuple((name, value) for name, value in sent if name.lower() not in OWN_HEADERS)
            token = asked.token
            self.passes.keep(door, Pass(token.digest, asked.person, token.expires_at, headers, made_s=begun_s))
            self.memory.keep(asked.answer, question=question, person=asked.person, root=root, read_s=begun_s)
        return body


def _too_old(memory: FeedMemory) -> Reply:
    outage = Outage(TOO_OLD.format(as_of=memory.state.as_of))
    headers = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"), ("Retry-After", str(outage.retry_after_s))]
    return HTTPStatus.SERVICE_UNAVAILABLE, json.dumps(refusal_document(outage)).encode(), headers
