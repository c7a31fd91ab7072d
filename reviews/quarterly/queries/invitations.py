"""The people invited to a quarterly meeting."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from reviews.quarterly.domain.quorum import LEADS
from reviews.quarterly.models import ReviewCycle


def concerned(cycle: ReviewCycle) -> QuerySet[User]:
    """Platform and product leads and recorded attendees who have an active account, by user name."""
    leads = Q(role_grants__role__in=[role.value for role in LEADS])
    attending = Q(pk__in=cycle.attendances.values("person"))
    return User.objects.filter(leads | attending, is_active=True).distinct().order_by("username")


def invitees(cycle: ReviewCycle) -> QuerySet[User]:
    """Those of them who can get mail: nobody without a mail server."""
    return concerned(cycle).exclude(email="") if settings.WEIGHBRIDGE["HAS_MAIL"] else User.objects.none()
