"""Who calls the API."""

from datetime import datetime
from typing import cast

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.request import Request

from governance.people.domain.roles import Person
from governance.people.queries.people import person_of


def asker(request: Request) -> tuple[User, Person, datetime]:
    """Who asks, as a user and as a person, and when."""
    user = cast("User", request.user)  # IsAuthenticated lets nobody else in
    return user, person_of(user), timezone.now()
