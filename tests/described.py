"""Values in words that are the same for equal values, for what is remembered by its arguments."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path

from django.conf import UserSettingsHolder, settings
from django.db.models import Model

PLAIN = (type(None), bool, int, float, str, bytes, Decimal, date, time, timedelta, Enum)


class NotPlainError(Exception):
    """A value does not say what it is."""


def described(value: object) -> str:
    """The value in words. Raises NotPlainError for what is no plain value, row, or collection of them."""
    if isinstance(value, PLAIN):
        return f"{type(value).__qualname__}:{value!r}"
    if isinstance(value, Model):
        fields = {field.attname: repr(value.__dict__.get(field.attname)) for field in value._meta.concrete_fields}
        return f"{value._meta.label}:{fields}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{described(key)}={described(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "(" + ",".join(map(described, value)) + ")"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__qualname__}" + described(
            [getattr(value, field.name) for field in dataclasses.fields(value)]
        )
    raise NotPlainError(type(value))


def overridden(folder: Path) -> str:
    """The settings that tests have changed, without the place of the folder of this test."""
    changed = {name: repr(value) for holder in _holders() for name, value in holder.__dict__.items() if name.isupper()}
    return repr(sorted(changed.items())).replace(str(folder), "")


def _holders() -> Iterator[UserSettingsHolder]:
    """Outermost last, as later ones hide earlier ones."""
    holder, found = settings._wrapped, []
    while isinstance(holder, UserSettingsHolder):
        found.append(holder)
        holder = holder.__dict__["default_settings"]
    yield from reversed(found)
