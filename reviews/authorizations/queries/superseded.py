"""The authorizations that an approval of a request supersedes."""

from django.db.models import QuerySet

from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization
from reviews.requests.domain.lifecycle import OPEN_STATES
from reviews.requests.models import ReviewRequest


def superseded_by(request: ReviewRequest) -> QuerySet[Authorization]:
    """The authorizations, of any team, that an approval of the request would end, oldest first.

    They are for the same artifact and environment. A closed request supersedes none.
    """
    # Suspended ones too: if one were reinstated later, two authorizations would be valid at once.
    states = [*IN_FORCE, AuthorizationState.SUSPENDED] if request.state in OPEN_STATES else []
    rows = Authorization.objects.filter(subject_digest=request.model_version.digest, environment=request.environment)
    return rows.filter(state__in=states).order_by("pk")


def refs_superseded_by(request: ReviewRequest) -> frozenset[str]:
    """The requests of those authorizations. An approval releases what they still have committed."""
    return frozenset(superseded_by(request).values_list("decision__request__ref", flat=True))
