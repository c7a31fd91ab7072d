"""The people invited to a quarterly meeting."""

from django.contrib.auth.models import User
from django.db.models import Q

from reviews.quarterly.domain.quorum import LEADS
from reviews.quarterly.models import ReviewCycle


def invitees(cycle: ReviewCycle) -> list[User]:
    """Platform and product leads and recorded attendees who have an active account and a mail address."""
    leads = Q(role_grants__role__in=[role.value for role in LEADS])
    attending = Q(pk__in=cycle.attendances.values("person"))
    return list(
        User.objects.filter(leads | attending, is_active=True).exclude(email="").distinct().order_by("username")
    )
