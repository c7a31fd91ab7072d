"""The values that a field of the tracker can hold, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from governance.inventory.domain.classification import TIERS
from reviews.requests.enums import OUTCOMES
from reviews.tickets.domain.routing import Work


@dataclass(frozen=True)
class FieldValue:
    """A value: its label on pages, its type, whether it exists when a ticket is opened, and for action items too.

    `options` are all that it can be, if it is one of a few: a list of the tracker must have each of them.
    """

    label: str
    type: type
    is_at_opening: bool = True
    has_action_item: bool = False
    options: tuple[str, ...] = ()


_DECISIONS = tuple(words for _, words in OUTCOMES)
FIELD_VALUES: Mapping[str, FieldValue] = MappingProxyType(
    {
        "reference": FieldValue("Reference of the request or action item", str, has_action_item=True),
        "link": FieldValue("Link to its page", str, has_action_item=True),
        "cost_of_year": FieldValue("Cost of the first year in US dollars", Decimal),
        "gpu_hours": FieldValue("GPU hours of the training", Decimal),
        "tier": FieldValue("Risk tier", str, options=TIERS),
        "decision": FieldValue("Decision", str, is_at_opening=False, options=_DECISIONS),
        "authorized_until": FieldValue("End of the authorization", date, is_at_opening=False),
    }
)


def values_for(work: str) -> tuple[str, ...]:
    """The names of the values that every ticket of this work has when it is opened; "" is every work."""
    return tuple(
        name
        for name, value in FIELD_VALUES.items()
        if value.is_at_opening and (value.has_action_item or work == Work.REVIEW)
    )


class FieldKind(StrEnum):
    """The types of fields that can hold a value, by their name in Jira's `schema`.

    A paragraph is a text of several lines that the tracker takes as a document. Jira's `schema` calls it a string too.
    """

    NUMBER = "number"
    DATE = "date"
    TEXT = "string"
    PARAGRAPH = "paragraph"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class FieldTarget:
    """A field by its id, such as `customfield_10020`, and its type."""

    id: str
    kind: FieldKind


def kinds_for(name: str) -> frozenset[FieldKind]:
    """The types of fields that can hold the value of this name. A text field holds any, a list one of a few."""
    value = FIELD_VALUES[name]
    own = {Decimal: FieldKind.NUMBER, date: FieldKind.DATE}.get(value.type, FieldKind.TEXT)
    return frozenset({own, FieldKind.TEXT, FieldKind.PARAGRAPH, *([FieldKind.OPTION] if value.options else [])})
