"""Correlation IDs in log lines, outbox messages and external calls: one ID finds all that a request causes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

REQUEST_ID, USER_ID = "request_id", "user_id"
HEADER = "X-Request-ID"
_marks: ContextVar[Mapping[str, str]] = ContextVar("marks", default=MappingProxyType({}))


@contextmanager
def correlated(**correlation_ids: str) -> Iterator[None]:
    """Add to the correlation IDs of all work inside the block. Empty values are ignored."""
    token = _marks.set({**_marks.get(), **{name: value for name, value in correlation_ids.items() if value}})
    try:
        yield
    finally:
        _marks.reset(token)


def correlation_ids() -> dict[str, str]:
    """The correlation IDs of the current work."""
    return dict(_marks.get())


def request_id() -> str:
    """The ID of the request that caused the current work; empty if there is none."""
    return _marks.get().get(REQUEST_ID, "")


def user_id() -> str:
    """The ID of the person who caused the current work; empty if nobody did."""
    return _marks.get().get(USER_ID, "")


def mark_user(user_id: str) -> None:
    """The person is known from now on, until the block ends in which the work began."""
    _marks.set({**_marks.get(), USER_ID: user_id})
