"""Locking everything a step may settle, in the one order everybody keeps: request, runs, accounts, authorizations.

The head of the audit chain comes after all of them, because recording takes it until the transaction ends. Two steps
that locked in different orders would wait for each other.
"""

from datetime import datetime

from benchmarking.runs.models import Run
from governance.budgets.domain.quarters import Quarter
from governance.budgets.queries.budgets import lock_touched
from reviews.authorizations.models import Authorization
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest


def lock_all(*, request: ReviewRequest, now: datetime) -> ReviewRequest:
    """The row as it is now, held with everything a decision, a withdrawal or a new revision of it may touch."""
    row = lock(request)
    list(Run.objects.select_for_update().filter(asked_for=row.ref).order_by("pk").values_list("pk"))
    held = Authorization.objects.filter(subject_digest=row.model_version.digest, environment=row.environment)
    # An approval supersedes these, and gives back what is left of their commitments.
    refs = [row.ref, *held.values_list("decision__request__ref", flat=True)]
    lock_touched(refs=refs, team=row.team, quarter=str(Quarter.of(now.date())))
    list(held.select_for_update().order_by("pk").values_list("pk"))
    return row
