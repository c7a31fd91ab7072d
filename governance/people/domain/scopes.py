"""What a token of a program may be used for; never more than its user may do."""

from enum import StrEnum

from weighbridge.core.errors import NotAllowed

READING = frozenset({"GET", "HEAD", "OPTIONS"})
GATE_DOORS = frozenset({"api:gate", "api:keys"})


class TokenScope(StrEnum):
    """The three things programs do here: look, work, and ask the gate."""

    READ = "read"
    WRITE = "write"
    GATE = "gate"


def check_scope(scope: TokenScope, *, method: str, door: str) -> None:
    """Raise NotAllowed where a token of this scope may not call `door` (a URL name, like `api:gate`) by `method`."""
    if scope is TokenScope.WRITE:
        return
    if method not in READING:
        raise NotAllowed(f"This token may only {scope.value}; use one made with --scope write.", code="scope")
    if scope is TokenScope.GATE and door not in GATE_DOORS:
        raise NotAllowed("This token may only ask the gate; use one made with --scope read or write.", code="scope")
