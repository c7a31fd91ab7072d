"""Audit events of requests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.requests.models import ReviewRequest


def record(
    *,
    kind: str,
    request: ReviewRequest,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an audit event about a request."""
    audit.record(kind=kind, by=by, subject=("request", request.ref), details=details, reason=reason, now=now)
