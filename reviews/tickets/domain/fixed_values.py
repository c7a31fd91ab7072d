"""Fixed values of fields, the same in every ticket: which types can have one, and how each is sent."""

from typing import Any

from reviews.tickets.domain.field_values import FieldKind
from reviews.tickets.ports import FieldChoice

ARRAY = "array"
_NAMED = frozenset({"component", "group", "priority", "resolution", "securitylevel", "version"})
"""The types whose values the tracker knows by name."""
_PLAIN = frozenset({FieldKind.TEXT, FieldKind.PARAGRAPH, FieldKind.NUMBER, FieldKind.DATE})


def is_settable(choice: FieldChoice) -> bool:
    """Whether the field can have a fixed value."""
    kind = choice.items if choice.kind == ARRAY else choice.kind
    if kind in _NAMED or kind == FieldKind.OPTION:
        return bool(choice.options)
    return kind == FieldKind.TEXT if choice.kind == ARRAY else kind in _PLAIN


def refusal_of(choice: FieldChoice) -> str:
    """Why the field cannot have a fixed value, and what to do instead."""
    kind = f"list of {choice.items or 'unknown'}" if choice.kind == ARRAY else choice.kind or "unknown"
    return (
        f"Weighbridge cannot fill {choice.name} ({choice.id}), a field of the type {kind}: give it a default value in "
        "Jira, or do not require it on the create screen."
    )


def as_sent(choice: FieldChoice, value: Any) -> Any:
    """The value as the tracker takes it; of a list, each of its values.

    A paragraph is named as one, because only the adapter knows the format of its documents.
    """
    if choice.kind == ARRAY:
        return [_one(choice.items, each) for each in value]
    return _one(choice.kind, value)


def as_entered(value: Any) -> Any:
    """The value, or those of a list, as a person chose it."""
    if isinstance(value, list):
        return [as_entered(each) for each in value]
    names = ("name", "value", FieldKind.PARAGRAPH)
    return next((value[name] for name in names if value.get(name)), "") if isinstance(value, dict) else value


def paragraph_of(value: Any) -> str | None:
    """The text of a fixed value that is a paragraph; None for another one."""
    return value[FieldKind.PARAGRAPH] if isinstance(value, dict) and set(value) == {FieldKind.PARAGRAPH} else None


def _one(kind: str, value: Any) -> Any:
    if kind == FieldKind.OPTION:
        return {"value": value}
    if kind == FieldKind.PARAGRAPH:
        return {FieldKind.PARAGRAPH.value: value}
    if kind in _NAMED:
        return {"name": value}
    return value if kind == FieldKind.NUMBER else str(value)
