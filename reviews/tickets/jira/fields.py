"""The fields of a create screen, which of them holds which of our values, and how each type is written."""

from collections.abc import Iterable, Mapping
from typing import Any

from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.domain.fixed_values import paragraph_of
from reviews.tickets.jira.client import Json, label
from reviews.tickets.jira.flavors.flavor import Flavor, short_id
from reviews.tickets.ports import NAME_CHARS_MAX, FieldChoice, Paragraph, Value

CHOICES_MAX = 500
FILLED_BY_US = frozenset({"project", "issuetype", "summary", "description", "labels", "reporter"})
"""The fields that no person sets: Jira itself takes our account as the reporter."""
TEXT_CHARS_MAX = 255
"""Jira's text fields of one line hold no more."""


def field_choice(entry: Json, flavor: Flavor) -> FieldChoice:
    """A field of the create screen. Raises what reading an answer of another form raises."""
    options, schema = entry.get("allowedValues") or [], entry.get("schema") or {}
    texts = [option.get("name") or option.get("value") for option in options if isinstance(option, dict)]
    return FieldChoice(
        id=short_id(entry["fieldId"]),
        name=label(entry["name"], chars_max=NAME_CHARS_MAX),
        kind=label(flavor.field_kind(schema)),
        items=label(schema.get("items", "")),
        is_required=entry["required"] is True and not entry.get("hasDefaultValue"),
        options=tuple(label(text, chars_max=NAME_CHARS_MAX) for text in texts[:CHOICES_MAX] if text),
    )


def fixed_values(fields: Mapping[str, Any], flavor: Flavor) -> dict[str, Any]:
    """The payload of the fixed values: as they are stored, and paragraphs as documents."""
    texts = {name: paragraph_of(value) for name, value in fields.items()}
    documents = {name: flavor.document((Paragraph(text),)) for name, text in texts.items() if text is not None}
    return {**fields, **documents}


def field_values(
    values: Iterable[tuple[str, Value | None]], targets: Mapping[str, FieldTarget], flavor: Flavor
) -> dict[str, Any]:
    """The payload of the mapped fields: numbers as numbers, dates as dates, paragraphs as documents; None empties."""
    return {
        targets[name].id: None if value is None else _written(value, targets[name].kind, flavor)
        for name, value in values
        if name in targets and value != ""
    }


def _written(value: Value, kind: FieldKind, flavor: Flavor) -> Any:
    match kind:
        case FieldKind.NUMBER:
            return float(str(value))
        case FieldKind.DATE:
            return str(value)
        case FieldKind.OPTION:
            return {"value": str(value)}
        case FieldKind.PARAGRAPH:
            return flavor.document((Paragraph(str(value)),))
        case _:
            return str(value)[:TEXT_CHARS_MAX]
