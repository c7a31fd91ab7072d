"""A breach has an authorized model reviewed again: once for each finding, and by one request at a time."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from reviews.authorizations.models import Authorization, ReReview
from reviews.requests.domain.lifecycle import OPEN_STATES
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests


def have_reviewed(
    *, authorization: Authorization, sighting: Sighting, by: User | None = None, now: datetime
) -> ReReview:
    """Raise the finding and draft the request that answers it; a request that is open already is pointed back to.

    The caller holds the authorization locked and knows that the finding is new.
    """
    with transaction.atomic():
        # Drafted first: filing takes the lock of the references, which comes before the head of the audit chain.
        known = _open_one(authorization)
        request = known or requests.file_again(request=authorization.decision.request, by=by, now=now)
        finding = findings.raise_once(sighting=sighting, by=by, now=now)
        row = ReReview.objects.create(authorization=authorization, finding=finding, request=request, noted_at=now)
        word = "opened" if known is None else "pointed_back"
        details = {"request": request.ref, "finding": str(finding), "kind": sighting.kind}
        subject = ("authorization", authorization.number)
        audit.record(kind=f"re_review.{word}", by=by, subject=subject, details=details, reason=sighting.text, now=now)
    return row


def _open_one(authorization: Authorization) -> ReviewRequest | None:
    """What reviews the model already: an earlier re-review, or what somebody filed for the same version and purpose."""
    before = authorization.decision.request
    same = Q(model_version=before.model_version, purpose=before.purpose) | Q(re_reviews__authorization=authorization)
    return ReviewRequest.objects.filter(same, state__in=OPEN_STATES).order_by("pk").first()
