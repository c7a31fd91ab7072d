"""Whom a comment can mention, as somebody types a name."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.people.domain.roles import Person
from reviews.discussions.domain.mentions import is_part_of_name
from reviews.discussions.rules import may_comment

OFFERED_MAX = 8


def mentionable(*, people: QuerySet[User], typed: str, reader: Person) -> Sequence[User]:
    """At most 8 of the people who may see a thing, whose user name, first or last name begins with what was typed.

    The reader sees the thing, and so whom its comments can mention. Nobody is offered to a reader who may not comment.
    """
    if not may_comment(reader) or not is_part_of_name(typed):
        return ()
    begins = Q(username__istartswith=typed) | Q(first_name__istartswith=typed) | Q(last_name__istartswith=typed)
    return list(people.filter(begins)[:OFFERED_MAX])
