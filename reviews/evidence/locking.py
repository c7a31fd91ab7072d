"""Lock everything a step may change, always in the same order: request, runs, accounts, authorizations.

The head of the audit chain is locked last, because recording an event holds it until the transaction ends. Locking in
different orders could deadlock two steps.
"""

from datetime import datetime

from benchmarking.runs.models import Run
from governance.budgets.domain.quarters import Quarter
from governance.budgets.queries.budgets import lock_touched
from reviews.authorizations.models import Authorization
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest


def lock_all(*, request: ReviewRequest, now: datetime) -> ReviewRequest:
    """Lock the request and everything a decision, a withdrawal or a new revision may change; return the current row."""
    row = lock(request)
    list(Run.objects.select_for_update().filter(asked_for=row.ref).order_by("pk").values_list("pk"))
    authorizations = Authorization.objects.filter(subject_digest=row.model_version.digest, environment=row.environment)
    # An approval supersedes these authorizations and releases the rest of their commitments.
    refs = [row.ref, *authorizations.values_list("decision__request__ref", flat=True)]
    lock_touched(refs=refs, team=row.team, quarter=str(Quarter.of(now.date())))
    list(authorizations.select_for_update().order_by("pk").values_list("pk"))
    return row
