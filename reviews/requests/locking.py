"""Lock a request. Every write starts with this, so that two people never act on the same state."""

from datetime import datetime

from django.db import connection

from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import next_ref

REF_LOCK, PURPOSE_LOCK = 0x4D5252, 0x4D5253  # arbitrary numbers that no other code locks
AT_ONCE_MAX = 1_000


def lock(request: ReviewRequest) -> ReviewRequest:
    """Lock the row until the transaction ends, and return its current state. Read related rows only after this."""
    rows = ReviewRequest.objects.select_for_update(of=("self",))
    related = ("team", "policy", "checklist", "dataset", "model_version__asset__team", "requester", "owner")
    return rows.select_related(*related).get(pk=request.pk)


def lock_version_and_purpose(*, version_id: int, purpose: str) -> None:
    """Let no other transaction file a request of this version for this purpose until this one ends.

    This comes after the locks of all rows, and before the head of the audit trail: whoever holds that must not wait for
    the unique index of open requests.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [PURPOSE_LOCK, f"{version_id}:{purpose}"])


def take_ref(now: datetime) -> str:
    """A reference that no other transaction gets; it waits for none.

    Numbers of filings under way are skipped. One of them that comes to nothing leaves a gap.
    """
    while True:
        first = next_ref(now)
        prefix, _, number = first.rpartition("-")
        taken = _try_numbers(year=now.year, first=int(number))
        if taken is not None:
            ref = f"{prefix}-{taken:04d}"
            # Another transaction may have ended since the next reference was read, and its lock with it.
            if not ReviewRequest.objects.filter(ref=ref).exists():
                return ref


def _try_numbers(*, year: int, first: int) -> int | None:
    """The first number from `first` on whose lock is free, now locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM generate_series(%s::int, %s::int) AS number"
            " WHERE pg_try_advisory_xact_lock(%s, %s + number) LIMIT 1",
            [first, first + AT_ONCE_MAX, REF_LOCK, year % 1000 * 1_000_000],
        )
        row = cursor.fetchone()
    return row[0] if row is not None else None
