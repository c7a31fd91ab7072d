"""Who reads a page. Looked up once in a request, however many parts of the page ask."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from governance.people.domain.roles import Person
from governance.people.queries import people


def user_of(request: HttpRequest) -> User:
    """The user behind the session; middleware has sent everybody else to the log-in page."""
    return cast("User", request.user)


def person_of(request: HttpRequest) -> Person:
    """The person behind the session, with roles and teams as granted now."""
    known: Person | None = getattr(request, "_person", None)
    if known is None:
        known = people.person_of(user_of(request))
        setattr(request, "_person", known)  # noqa: B010 -- the request has no such attribute of its own
    return known


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page it already shows."""
    return request.headers.get("HX-Request") == "true"
