"""Re-reviews: a breach opens a new review of an authorized model, once per finding, one request at a time."""

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


def open_re_review(
    *, authorization: Authorization, sighting: Sighting, by: User | None = None, now: datetime
) -> ReReview:
    """Raise the finding and draft a request for the new review, or link the finding to a request already open.

    The caller has locked the authorization and checked that the finding is new.
    """
    with transaction.atomic():
        # Draft first: filing locks the version and the purpose, and that comes before the head of the audit trail.
        existing = _open_request(authorization)
        request = existing or requests.file_again(request=authorization.decision.request, by=by, now=now)
        finding = findings.raise_once(sighting=sighting, by=by, now=now)
        row = ReReview.objects.create(authorization=authorization, finding=finding, request=request, noted_at=now)
        event = "opened" if existing is None else "pointed_back"
        details = {"request": request.ref, "finding": str(finding), "kind": sighting.kind}
        subject = ("authorization", authorization.number)
        audit.record(kind=f"re_review.{event}", by=by, subject=subject, details=details, reason=sighting.text, now=now)
    return row


def _open_request(authorization: Authorization) -> ReviewRequest | None:
    """The open request for the model: an earlier re-review, or a request for the same version and purpose."""
    before = authorization.decision.request
    same = Q(model_version=before.model_version, purpose=before.purpose) | Q(re_reviews__authorization=authorization)
    return ReviewRequest.objects.filter(same, state__in=OPEN_STATES).order_by("pk").first()
