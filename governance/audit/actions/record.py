"""The only function that writes to the audit trail, in the transaction of the change.

A transaction-level lock of PostgreSQL serializes the head of the chain, so events are in commit order. Callers must
lock the rows they change first and record last.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.domain import chain
from governance.audit.domain import correlation as trace
from governance.audit.locking import lock_trail
from governance.audit.models import AuditEvent
from governance.audit.queries.trail import described
from weighbridge.core.canonical import plain
from weighbridge.core.masking import mask

ACTOR_CHARS_MAX = 160  # a first and a last name together may be longer
_origin: ContextVar[str] = ContextVar("origin", default="job")


@contextmanager
def origin(source: str) -> Iterator[None]:
    """Mark all events recorded inside as coming from `source`: web, api, admin, hook, command or job."""
    token = _origin.set(source)
    try:
        yield
    finally:
        _origin.reset(token)


def record(
    *,
    kind: str,
    by: User | None,
    subject: tuple[str, str],
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one event, inside the caller's transaction. `subject` is (type, name); `by` None means the system."""
    lock_trail()
    last = AuditEvent.objects.order_by("-position").values("position", "hash").first()
    event = AuditEvent(
        position=last["position"] + 1 if last else 1,
        kind=kind,
        at=now.astimezone(UTC),  # as the database returns it, otherwise the hash would not match
        actor_id=str(by.pk) if by else "",
        actor=(by.get_full_name() or by.username)[:ACTOR_CHARS_MAX] if by else "system",
        source=_origin.get(),
        subject_type=subject[0],
        subject=subject[1],
        details=_masked(plain(details or {})),
        reason=mask(reason),
        request_id=trace.request_id(),
        previous_hash=last["hash"] if last else chain.GENESIS,
    )
    event.hash = chain.link(event.previous_hash, described(event))
    event.save(force_insert=True)
    return event


def _masked(value: Any) -> Any:
    """The value with all secrets masked, because audit events are permanent."""
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return mask(value) if isinstance(value, str) else value
