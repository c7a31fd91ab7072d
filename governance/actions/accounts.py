"""What happens to the ways in of an account, put on record; Django and allauth do it, no secret of it is written down."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance import audit
from governance.domain.accounts import Happening

NOBODY = "an unknown account"


def note(
    *, happening: Happening, user: User | None, by: User | None, now: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Record what happened to the account of `user`; None where whoever was named has none."""
    subject = user.username if user else NOBODY
    with transaction.atomic():
        audit.record(kind=happening.value, by=by, subject=("person", subject), details=details, now=now)
