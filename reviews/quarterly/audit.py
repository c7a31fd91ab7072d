"""Audit events of the quarterly review."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.quarterly.models import ReviewCycle


def record_cycle_event(
    *,
    kind: str,
    cycle: ReviewCycle,
    by: User | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append an event about a quarterly review cycle."""
    audit.record(kind=f"cycle.{kind}", by=by, subject=("cycle", cycle.quarter), details=details, reason=reason, now=now)
