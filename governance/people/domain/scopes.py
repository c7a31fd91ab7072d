"""Scopes of API tokens. A scope never permits more than its user may do."""

from enum import StrEnum

from weighbridge.core.errors import NotAllowed

READING = frozenset({"GET", "HEAD", "OPTIONS"})
GATE = "api:gate"
REPORTS = frozenset({"api:workload-reports", "api:usage-reports"})
GATE_DOORS = frozenset({GATE, "api:keys", "api:feed", "api:feed-head", "api:feed-entry"})
WORKER_DOORS = frozenset(
    {
        "api:worker",
        "api:worker-take",
        "api:worker-run",
        "api:worker-renew",
        "api:worker-file",
        "api:worker-result",
        "api:worker-failure",
        "api:worker-hand-back",
    }
)


class TokenScope(StrEnum):
    """The scopes: read, write, ask the gate, report what a cluster runs, and work as a benchmark worker."""

    READ = "read"
    WRITE = "write"
    GATE = "gate"
    REPORT = "report"
    WORKER = "worker"


def check_scope(scope: TokenScope, *, method: str, door: str) -> None:
    """Raise NotAllowed unless a token with this scope may call `door` (a URL name, like `api:gate`) with `method`."""
    if (scope is TokenScope.WORKER) is not (door in WORKER_DOORS):
        text = "This token may only do the work of a benchmark worker. Use a token with --scope read or write."
        if scope is not TokenScope.WORKER:
            text = "Only a token with --scope worker may do the work of a benchmark worker."
        raise NotAllowed(text, code="scope")
    if scope in {TokenScope.WRITE, TokenScope.WORKER}:
        return
    if scope is TokenScope.REPORT:
        if method != "POST" or door not in REPORTS:
            text = "This token may only report workloads and usage. Use a token with --scope read or write."
            raise NotAllowed(text, code="scope")
        return
    if method not in READING:
        raise NotAllowed(f"This token may only {scope.value}. Use a token with --scope write.", code="scope")
    if scope is TokenScope.GATE and door not in GATE_DOORS:
        raise NotAllowed("This token may only ask the gate. Use a token with --scope read or write.", code="scope")
