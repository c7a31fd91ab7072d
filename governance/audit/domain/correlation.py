"""What one piece of work is known by, from the page that asked for it to the job and the call outside it causes.

Log lines, outbox messages and calls to other systems carry it, so that one identifier finds all of them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

REQUEST_ID = "request_id"
HEADER = "X-Request-ID"
_marks: ContextVar[Mapping[str, str]] = ContextVar("marks", default=MappingProxyType({}))


@contextmanager
def marked(**marks: str) -> Iterator[None]:
    """Everything inside carries `marks` besides those it carries already; empty ones say nothing."""
    token = _marks.set({**_marks.get(), **{name: value for name, value in marks.items() if value}})
    try:
        yield
    finally:
        _marks.reset(token)


def marks() -> dict[str, str]:
    """What the present work is marked with."""
    return dict(_marks.get())


def request_id() -> str:
    """The request that caused the present work; empty where no request did."""
    return _marks.get().get(REQUEST_ID, "")
