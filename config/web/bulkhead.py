"""Keeps threads of a web process free: pages that hang must not take all of them, or `/livez` could not answer."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ALWAYS = frozenset({"/livez"})
PATIENCE_S, HANGS_AFTER_S, RETRY_AFTER_S = 2.0, 5.0, "10"
BUSY = "The server is busy: its pages wait, perhaps for the database. Nothing was changed. Try again in a few seconds."


class Bulkhead:
    """A WSGI application that serves at most `slots` requests at a time, and `/livez` always.

    A request waits for a slot for two seconds. It is refused at once while more than half of the slots have been taken
    for five seconds: then pages hang. A few requests that take long, such as uploads of large files, refuse nobody.
    """

    def __init__(self, application: Application, *, slots: int) -> None:
        self.application, self.slots = application, slots
        self._running: dict[object, float] = {}
        self._changed = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve the request, or answer 503."""
        if environ.get("PATH_INFO") in ALWAYS:
            return self.application(environ, start_response)
        with self._slot() as is_free:
            return self.application(environ, start_response) if is_free else _refuse(environ, start_response)

    @contextmanager
    def _slot(self) -> Iterator[bool]:
        ticket = object()
        with self._changed:
            is_free = self._changed.wait_for(lambda: len(self._running) < self.slots or self._hangs(), PATIENCE_S)
            is_free = is_free and len(self._running) < self.slots
            if is_free:
                self._running[ticket] = time.monotonic()
        try:
            yield is_free
        finally:
            with self._changed:
                self._running.pop(ticket, None)
                self._changed.notify()

    def _hangs(self) -> bool:
        old_s = time.monotonic() - HANGS_AFTER_S
        return 2 * sum(begun_s < old_s for begun_s in self._running.values()) > self.slots


def _refuse(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    kind, body = "text/plain; charset=utf-8", BUSY
    if str(environ.get("PATH_INFO", "")).startswith("/api/"):
        kind = "application/problem+json"
        names = {"type": "urn:weighbridge:problem:busy", "title": "Service Unavailable", "status": 503}
        body = json.dumps({**names, "detail": BUSY, "code": "busy"})
    headers = [("Content-Type", kind), ("Retry-After", RETRY_AFTER_S), ("Cache-Control", "no-store")]
    start_response("503 Service Unavailable", headers)
    return [body.encode()]
