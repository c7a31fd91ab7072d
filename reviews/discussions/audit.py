"""Audit events of discussions. They name a comment by its id and the digest of its text, and never repeat the text."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.audit.actions import record as audit
from reviews.discussions.kinds import place_of
from reviews.discussions.models import Thread


def record_in(
    *, kind: str, thread: Thread, by: User, now: datetime, details: Mapping[str, Any] | None = None, text: str = ""
) -> None:
    """Append an event about a thread, under the name of the thing that is discussed."""
    discussed, row = place_of(thread)
    digest = {"text": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"} if text else {}
    about = {"thread": thread.pk, **({"about": thread.topic.text} if thread.part else {})}
    audit.record(
        kind=kind, by=by, subject=discussed.subject(row), details={**about, **(details or {}), **digest}, now=now
    )
