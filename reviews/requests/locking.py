"""Lock a request. Every write starts with this, so that two people never act on the same state."""

from django.db import connection

from reviews.requests.models import ReviewRequest

REF_LOCK = 0x4D5252  # an arbitrary number that no other code locks


def lock(request: ReviewRequest) -> ReviewRequest:
    """Lock the row until the transaction ends, and return its current state. Read related rows only after this."""
    rows = ReviewRequest.objects.select_for_update(of=("self",))
    related = ("team", "policy", "checklist", "dataset", "model_version__asset__team", "requester", "owner")
    return rows.select_related(*related).get(pk=request.pk)


def lock_refs() -> None:
    """Let no other transaction number a request until this one ends. This comes after the locks of all rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REF_LOCK])
