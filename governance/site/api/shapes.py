"""What every API shares: how an input is read, and how a dataclass, numbers, choices and files are written."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Any, ClassVar, TypeAlias, cast, get_args, get_origin, get_type_hints

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from governance.exports.domain.tables import CSV, MEDIA_TYPES, XLSX
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Refused

Answer = serializers.Serializer[Any]
Field: TypeAlias = serializers.Field[Any, Any, Any, Any]
NAME_CHARS_MAX, UNKNOWN_MAX = 80, 20
"""Of unknown fields in one answer; a body can have a hundred thousand."""
_UNSTORABLE = "The text contains a character that cannot be stored."
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

    derived: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; ValidationError names an unknown field, or a text that no database can look up."""
        given = data if isinstance(data, Mapping) else {}
        unknown = f"This field is not known here; known are {', '.join(self.fields)}."
        names = islice((str(name) for name in given if name not in self.fields), UNKNOWN_MAX)
        wrong = {name[:NAME_CHARS_MAX]: [unknown] for name in names}
        # A field that looks its text up asks the database with it, before any validator of texts has seen it.
        texts = {str(name): value for name, value in given.items() if isinstance(value, str)}
        wrong |= {name: [_UNSTORABLE] for name, text in texts.items() if not is_storable(text)}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def read(kind: type[serializers.Serializer[Any]], data: object) -> dict[str, Any]:
    """The validated values of an input; ValidationError otherwise."""
    given = kind(data=data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


def read_for(request: Request, kind: type[serializers.Serializer[Any]], check: Callable[[], object]) -> dict[str, Any]:
    """The validated values of the body of a step.

    Where they are not valid, `check` is called first: it raises NotAllowed for whoever may not take the step at all, so
    that nobody learns of a step that is not theirs what it takes.
    """
    try:
        return read(kind, request.data)
    except (exceptions.APIException, Refused):
        check()
        raise


class Derived(Answer):
    """An answer with the fields of a dataclass."""

    derived: ClassVar[frozenset[str]] = frozenset()


def number(**options: Any) -> serializers.DecimalField:
    """An exact decimal, written as text."""
    return serializers.DecimalField(**{"max_digits": None, "decimal_places": None, "normalize_output": True} | options)


FIELDS: Mapping[type, Any] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    str: serializers.CharField,
    Decimal: number,
    datetime: serializers.DateTimeField,
    date: serializers.DateField,
}
LISTS = (tuple, Sequence)
_ANSWERS: dict[type, type[Derived]] = {}


def answer_of(
    shape: type,
    name: str = "",
    /,
    *,
    only: Collection[str] = (),
    without: Collection[str] = (),
    properties: Collection[str] = (),
    after: Mapping[str, str] | None = None,
    helps: Mapping[str, str] | None = None,
    **by_hand: Field,
) -> type[Derived]:
    """The serializer that writes the fields of a dataclass, its `properties`, and fields made `by_hand`.

    `after` moves a field behind another one, or to the front with "". An answer without a name is used wherever the
    dataclass is nested; a dataclass has only one of them.
    """
    types, helps = get_type_hints(shape), helps or {}
    own = [field.name for field in fields(shape)]
    types |= {each: get_type_hints(getattr(shape, each).fget)["return"] for each in properties}
    _check_known(shape, [*only, *without, *helps], among=types.keys() - by_hand.keys())
    shown = [each for each in own if (each in only if only else each not in without)]
    names = list(dict.fromkeys([*shown, *properties, *by_hand]))
    for moved, before in (after or {}).items():
        names.remove(moved)
        names.insert(names.index(before) + 1 if before else 0, moved)
    options = {each: {"help_text": text} for each, text in helps.items()}
    title = name or f"{shape.__name__.removesuffix('View')}Answer"
    answer = cast("type[Derived]", type(title, (Derived,), {"__doc__": shape.__doc__}))
    declared = {each: by_hand.get(each) or _field(types[each], **options.get(each, {})) for each in names}
    _declare(answer, declared, by_hand=by_hand)
    if not name and _ANSWERS.setdefault(shape, answer) is not answer:
        raise TypeError(f"{shape.__name__} has an answer already; give this one a name or define it first.")
    return answer


def takes(
    shape: type, *, without: Collection[str] = (), **limits: Mapping[str, Any]
) -> Callable[[type[Input]], type[Input]]:
    """A decorator that gives an input the fields of a dataclass that it does not declare, with options in `limits`."""

    def fill(kind: type[Input]) -> type[Input]:
        types, by_hand = get_type_hints(shape), kind().get_fields()
        own = {each.name: each.default is MISSING for each in fields(shape) if each.name not in without}
        _check_known(shape, limits, among=own.keys() - by_hand.keys())
        declared = {name: field for name, field in by_hand.items() if name not in own}
        for name, is_required in own.items():
            options = {"required": is_required, **limits.get(name, {})}
            declared[name] = by_hand.get(name) or _field(types[name], **options)
        _declare(kind, declared, by_hand=by_hand)
        return kind

    return fill


def _check_known(shape: type, names: Iterable[str], *, among: Set[str]) -> None:
    """Raise TypeError for a name that the dataclass does not have, so that a renamed field is not overlooked."""
    if unknown := set(names) - among:
        raise TypeError(f"{shape.__name__} has no derived field {', '.join(sorted(unknown))}.")


def _declare(kind: type[Derived] | type[Input], declared: dict[str, Field], *, by_hand: Iterable[str]) -> None:
    kind.derived = frozenset(declared).difference(by_hand)
    kind._declared_fields = declared  # noqa: SLF001 -- where the framework keeps the fields of a class


def _field(kind: Any, **options: Any) -> Field:
    """The field of a type."""
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if NoneType in arguments:
        return _field(arguments[0], allow_null=True, **options)
    if origin in LISTS and is_dataclass(arguments[0]):
        return _field(arguments[0], many=True, **options)
    if origin in LISTS:
        return serializers.ListField(child=_field(arguments[0]), **options)
    if is_dataclass(origin):
        return (_ANSWERS.get(kind) or answer_of(kind))(**options)
    if issubclass(origin, Mapping) and arguments[1] is Any:
        return serializers.JSONField(**options)
    if issubclass(origin, Mapping):
        return serializers.DictField(child=_field(arguments[1]), **options)
    made: Field = next(FIELDS[base] for base in origin.__mro__ if base in FIELDS)(**options)
    return made


def choice(values: Iterable[str], **options: Any) -> serializers.ChoiceField:
    """A field that takes one of a few words, and names them when it refuses."""
    words = [str(value) for value in values]
    reason = f"“{{input}}” is not known here; write one of {', '.join(words)}."
    return serializers.ChoiceField(choices=words, error_messages={"invalid_choice": reason}, **options)


class Nothing(Input):
    """A call that takes no fields."""


class ListInput(Input):
    """What every list can be asked."""

    page = serializers.IntegerField(required=False, min_value=1)
    q = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="Words to search for.")
