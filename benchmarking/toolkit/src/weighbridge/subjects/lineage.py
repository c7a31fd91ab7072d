"""Lineage: what a subject was made from, and which statements about it hold for what was made from it.

The document is a list of `{relation, digest, license}`, or `{relation, name, version, license}` for what has no digest
here. The license is optional.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.subject import digest_in, name_in

MOST_ANCESTORS = 100
MOST_VISITED = 10_000
MOST_GENERATIONS = 30
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+() -]{0,199}")


class Relation(StrEnum):
    """How a subject was made from another; `trained_on` is that of a data set."""

    BASE_MODEL = "base_model"
    FINE_TUNED_FROM = "fine_tuned_from"
    DISTILLED_FROM = "distilled_from"
    QUANTIZED_FROM = "quantized_from"
    TRAINED_ON = "trained_on"


class Statement(StrEnum):
    """What an approval states about a subject."""

    LICENSE = "license"
    TRAINING_DATA = "training_data"
    PROVENANCE = "provenance"
    PERFORMANCE = "performance"
    COST = "cost"
    AUTHORIZATION = "authorization"


# What was measured, or decided, is about the bytes of the parent and says nothing about those of the child.
_INHERITED = frozenset({Statement.LICENSE, Statement.TRAINING_DATA, Statement.PROVENANCE})


@dataclass(frozen=True)
class Ancestor:
    """What a subject was made from: a digest, or a name and a version; `license` is an SPDX expression or empty."""

    relation: Relation
    digest: str = ""
    name: str = ""
    version: str = ""
    license: str = ""

    def __str__(self) -> str:
        return self.digest or f"{self.name}@{self.version}"


def parse_lineage(document: object) -> tuple[Ancestor, ...]:
    """Return the ancestors that a list names; raise Invalid for anything else, and for an ancestor named twice."""
    reader = Reader({"lineage": document})
    found = reader.items("lineage", _ancestor)
    if len(found) > MOST_ANCESTORS:
        raise reader.fault("lineage", f"must have at most {MOST_ANCESTORS} entries.")
    if len({(each.relation, str(each)) for each in found}) != len(found):
        raise reader.fault("lineage", "names the same ancestor twice.")
    return found


def _ancestor(reader: Reader) -> Ancestor:
    relation, license_name = reader.choice("relation", Relation), reader.text("license", "")
    if license_name and not _LICENSE.fullmatch(license_name):
        raise reader.fault("license", "must be an SPDX expression, like Apache-2.0.")
    has_digest, has_name = reader.asks("digest"), reader.asks("name")
    if has_digest == has_name:
        raise reader.fault("digest", "must be given, or a name with its version, and not both.")
    if has_digest:
        return Ancestor(relation, digest=digest_in(reader, "digest"), license=license_name)
    name, version = name_in(reader, "name"), name_in(reader, "version")
    return Ancestor(relation, name=name, version=version, license=license_name)


def lineage_document(ancestors: Iterable[Ancestor]) -> list[dict[str, str]]:
    """Return the list that `parse_lineage` reads as these ancestors."""
    return [
        {name: str(value) for name, value in vars(each).items() if value}  # an empty part is not written
        for each in ancestors
    ]


def lineage_of_lines(text: str) -> list[dict[str, str]]:
    """Return the list that lines like `fine_tuned_from: sha256:… Apache-2.0` state, for `parse_lineage`.

    A line has the relation, a colon, a digest or `name@version`, and the license where it is known; raise Invalid for
    another line.
    """
    return [_entry(line.strip()) for line in text.splitlines() if line.strip()]


def _entry(line: str) -> dict[str, str]:
    relation, _, rest = line.partition(":")
    what, _, license_name = rest.strip().partition(" ")
    name, _, version = what.rpartition("@")
    has_digest = what.startswith(DIGEST_PREFIX)
    if not has_digest and not (name and version):
        text = f"{line[:100]!r} is no ancestor: write its relation, a colon, and a digest or name@version."
        raise Invalid(text, field="lineage")
    named = {"digest": what} if has_digest else {"name": name, "version": version}
    license_part = {"license": license_name.strip()} if license_name.strip() else {}
    return {"relation": relation.strip(), **named, **license_part}


def check_acyclic(digest: str, ancestors: Iterable[Ancestor], parents_of: Callable[[str], Iterable[Ancestor]]) -> None:
    """Raise Invalid if a subject would be its own ancestor; `parents_of` returns the known parents of a digest.

    Ancestors without a digest have no known parents. Raises Invalid for more than 10,000 ancestors or 30 generations,
    too.
    """
    generation = {each.digest for each in ancestors if each.digest}
    seen = set(generation)
    for _ in range(MOST_GENERATIONS):
        if digest in generation:
            text = f"{digest} would be its own ancestor; remove the entry that leads back to it."
            raise Invalid(text, code="lineage_cycle", field="lineage")
        fresh = {each.digest for current in generation for each in parents_of(current) if each.digest}
        generation = fresh - seen
        seen |= generation
        if len(seen) > MOST_VISITED:
            raise Invalid(f"The subject has more than {MOST_VISITED:,} ancestors.", field="lineage")
        if not generation:
            return
    raise Invalid(f"The subject has more than {MOST_GENERATIONS} generations of ancestors.", field="lineage")


def inherits(relation: Relation, statement: Statement) -> bool:
    """Return whether what was made from an approved parent may cite a statement about the parent.

    License, training data and provenance pass on; a data set has no provenance of a model. What was measured of the
    parent, what it costs and what it was authorized for never pass on.
    """
    is_of_data = relation is Relation.TRAINED_ON
    return statement in _INHERITED and not (is_of_data and statement is Statement.PROVENANCE)
