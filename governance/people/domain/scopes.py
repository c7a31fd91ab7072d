"""Scopes of API tokens. A scope never permits more than its user may do."""

from enum import StrEnum

from weighbridge.core.errors import NotAllowed

READING = frozenset({"GET", "HEAD", "OPTIONS"})
GATE = "api:gate"
GATE_DOORS = frozenset({GATE, "api:keys", "api:feed", "api:feed-head", "api:feed-entry"})


class TokenScope(StrEnum):
    """The scopes: read, write, and ask the gate."""

    READ = "read"
    WRITE = "write"
    GATE = "gate"


def check_scope(scope: TokenScope, *, method: str, door: str) -> None:
    """Raise NotAllowed unless a token with this scope may call `door` (a URL name, like `api:gate`) with `method`."""
    if scope is TokenScope.WRITE:
        return
    if method not in READING:
        raise NotAllowed(f"This token may only {scope.value}. Use a token with --scope write.", code="scope")
    if scope is TokenScope.GATE and door not in GATE_DOORS:
        raise NotAllowed("This token may only ask the gate. Use a token with --scope read or write.", code="scope")
