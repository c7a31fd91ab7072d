"""What the benchmarking API takes; unknown fields are refused, so that a slip of the pen is not swallowed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from governance.domain.roles import Person
from governance.queries.people import person_of


class Input(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know."""

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


class DatasetInput(Input):
    """Evaluation data."""

    name = serializers.CharField(max_length=120)
    file = serializers.FileField(max_length=160, help_text="An .npz file with arrays x (inputs) and y (labels).")


class DatasetFilters(Input):
    """A page of the list."""

    page = serializers.IntegerField(required=False, min_value=1)


class Nothing(Input):
    """A call that takes no fields."""
