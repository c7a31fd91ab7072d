"""What every API of the house shares: who asks, how an input is read, how numbers and choices are written.

The one module of this edge that other apps' APIs may import; the contract names it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from governance.domain.roles import Person
from governance.queries.people import person_of

Answer = serializers.Serializer[Any]


class Input(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, so that a slip of the pen is not swallowed."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; ValidationError names an unknown field and the known ones."""
        unknown = [str(name) for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            reason = f"This field is not known here; known are {', '.join(self.fields)}."
            raise serializers.ValidationError({name: [reason] for name in unknown})
        return super().to_internal_value(data)


def read(kind: type[serializers.Serializer[Any]], data: object) -> dict[str, Any]:
    """The validated values of an input; ValidationError otherwise."""
    given = kind(data=data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


def asker(request: Request) -> tuple[User, Person, datetime]:
    """Who asks, as a user and as a person, and when."""
    user = cast("User", request.user)  # IsAuthenticated lets nobody else in
    return user, person_of(user), timezone.now()


def number(**options: Any) -> serializers.DecimalField:
    """An exact decimal, written as text."""
    return serializers.DecimalField(max_digits=None, decimal_places=None, normalize_output=True, **options)


def choice(values: Iterable[str], **options: Any) -> serializers.ChoiceField:
    """A field that takes one of a few words, and names them when it refuses."""
    words = [str(value) for value in values]
    reason = f"“{{input}}” is not known here; write one of {', '.join(words)}."
    return serializers.ChoiceField(choices=words, error_messages={"invalid_choice": reason}, **options)
