"""What a model inherits from an approved parent: the answers to named checklist items, and nothing else.

A parent is what the lineage of the model names. Values, votes and authorizations are about the parent's own bytes and
never pass on.
"""

from dataclasses import dataclass

from weighbridge.core.documents import Reader, check_unique
from weighbridge.subjects.lineage import Relation, Statement, inherits

PASSING = tuple(each for each in Statement if any(inherits(relation, each) for relation in Relation))
"""The statements that can pass on: license, training data and provenance."""


@dataclass(frozen=True)
class InheritedItem:
    """A text item of the checklist that the parent's answer completes, and what that answer states."""

    item: str
    statement: Statement


@dataclass(frozen=True)
class Inheritance:
    """The section `inheritance` of a policy; without it, nothing is inherited."""

    items: tuple[InheritedItem, ...] = ()

    def items_through(self, relation: Relation) -> tuple[InheritedItem, ...]:
        """The items that pass on from a parent with this relation."""
        return tuple(each for each in self.items if inherits(relation, each.statement))

    @property
    def fields(self) -> dict[str, str]:
        """The section for differences between versions."""
        return {"items": ", ".join(f"{each.item} ({each.statement})" for each in self.items) or "none"}


def read_inheritance(reader: Reader) -> Inheritance:
    """Read the mapping `inheritance`. Raises Invalid for a statement that never passes on."""
    items = reader.items("items", _item)
    check_unique(tuple(each.item for each in items), path="inheritance.items", name="item")
    reader.close()
    return Inheritance(items)


def _item(reader: Reader) -> InheritedItem:
    found = InheritedItem(reader.text("item"), reader.choice("statement", Statement))
    if found.statement not in PASSING:
        text = f"cannot be {found.statement}, which is about the parent alone. Use {', '.join(PASSING)}."
        raise reader.fault("statement", text)
    return found
