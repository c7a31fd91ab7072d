"""What every API of the house shares: who asks, how an input is read, how numbers, choices and files are written.

The one module of this edge that other apps' APIs may import; the contract names it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from governance.exports.domain.tables import CSV, MEDIA_TYPES, XLSX, ExportTable, file_of

Answer = serializers.Serializer[Any]
_NUL = "Null characters are not allowed."
TABLE_KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=[CSV, XLSX], description="The kind of file.")
TABLE_ANSWERS = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in MEDIA_TYPES.values()}


class AnyAccept(BaseContentNegotiation):
    """Answers with the file whatever a client says it accepts."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer, which only errors need."""
        first = next(iter(renderers))
        return first, first.media_type


class Input(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, so that a slip of the pen is not swallowed."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; ValidationError names an unknown field and the known ones, or what no database can look
        up.
        """
        given = data if isinstance(data, Mapping) else {}
        unknown = f"This field is not known here; known are {', '.join(self.fields)}."
        wrong = {str(name): [unknown] for name in given if name not in self.fields}
        # A field that looks its text up asks the database with it, before any validator of texts has seen it.
        wrong |= {str(name): [_NUL] for name, value in given.items() if isinstance(value, str) and "\0" in value}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def read(kind: type[serializers.Serializer[Any]], data: object) -> dict[str, Any]:
    """The validated values of an input; ValidationError otherwise."""
    given = kind(data=data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


def number(**options: Any) -> serializers.DecimalField:
    """An exact decimal, written as text."""
    return serializers.DecimalField(max_digits=None, decimal_places=None, normalize_output=True, **options)


def choice(values: Iterable[str], **options: Any) -> serializers.ChoiceField:
    """A field that takes one of a few words, and names them when it refuses."""
    words = [str(value) for value in values]
    reason = f"“{{input}}” is not known here; write one of {', '.join(words)}."
    return serializers.ChoiceField(choices=words, error_messages={"invalid_choice": reason}, **options)


def download(table: ExportTable, *, kind: str) -> HttpResponse:
    """The table as a file, csv or xlsx, in which no text is a formula."""
    file = file_of(table, kind=kind)
    return HttpResponse(file.content, headers=file.headers)


class Nothing(Input):
    """A call that takes no fields."""


class ListInput(Input):
    """What every list can be asked."""

    page = serializers.IntegerField(required=False, min_value=1)
    q = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="Words to search for.")
