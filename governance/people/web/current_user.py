"""The current user. The person is looked up only once for each request."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from governance.people.domain.roles import Person
from governance.people.queries import people


def user_of(request: HttpRequest) -> User:
    """The logged-in user. Middleware redirects all others to the login page."""
    return cast("User", request.user)


def person_of(request: HttpRequest) -> Person:
    """The person behind the session, with current roles and teams."""
    person: Person | None = getattr(request, "_person", None)
    if person is None:
        person = people.person_of(user_of(request))
        setattr(request, "_person", person)  # noqa: B010 -- the request has no such attribute of its own
    return person


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx requests a fragment of the current page."""
    return request.headers.get("HX-Request") == "true"
