"""Reads of re-reviews: the breaches that opened a request, and the re-reviews of an authorization."""

from dataclasses import dataclass
from datetime import datetime

from reviews.authorizations.models import ReReview
from reviews.requests.models import ReviewRequest


@dataclass(frozen=True, kw_only=True)
class ReReviewView:
    """A breach and the request it opened. `first` is the authorized request, `authorization` its number."""

    finding: str
    kind: str
    text: str
    authorization: str
    first: str
    request: str
    state: str
    noted_at: datetime


def first_cause(request: ReviewRequest) -> str:
    """The finding that made the system open the request, like `FND-3`; "" if a person filed it."""
    row = min(request.re_reviews.all(), key=lambda row: row.pk, default=None)
    return str(row.finding) if row is not None else ""


def re_review_view(row: ReReview) -> ReReviewView:
    """A re-review for page and API."""
    return ReReviewView(
        finding=str(row.finding),
        kind=row.finding.kind,
        text=row.finding.text,
        authorization=row.authorization.number,
        first=row.authorization.decision.request.ref,
        request=row.request.ref,
        state=row.request.state,
        noted_at=row.noted_at,
    )
