"""Published versions of the metric catalog: their documents, and what a new version may change.

A name keeps its unit, direction, parts and scope for ever, and its range never narrows; weighted parts, such as those
of a new accelerator, are only added: values on record, and policies that name the metric, mean the same under every
version.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import (
    Direction,
    MetricCatalog,
    MetricDefinition,
    MetricGroup,
    MetricScope,
    Producer,
    WeightedPart,
)
from weighbridge.core.metrics.values import number_text

KIND, NAME = "MetricCatalog", "metrics"
METRIC_NAME, METRIC_UNIT = re.compile(r"[a-z][a-z0-9_]{0,47}"), re.compile(r"[!-~\u00a1-\uffef]{1,16}")
LABEL_CHARS_MAX, MEANING_CHARS_MAX, METRICS_MAX = 60, 300, 1_000
E = TypeVar("E", bound=StrEnum)


class BetterValue(StrEnum):
    """The better direction, as documents write it."""

    LOWER = "lower"
    HIGHER = "higher"


_DIRECTIONS = {BetterValue.LOWER: Direction.LOWER, BetterValue.HIGHER: Direction.HIGHER}


def parse_catalog(document: Mapping[str, object]) -> MetricCatalog:
    """Parse a catalog document. Raises Invalid with the path of the first error, like `metrics[3].unit`."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    reader.constant("name", NAME)
    catalog = MetricCatalog(reader.items("metrics", _definition), title=reader.text("title"))
    reader.close()
    if not 1 <= len(catalog.definitions) <= METRICS_MAX:
        raise reader.fault("metrics", f"must list 1 to {METRICS_MAX:,} metrics.")
    check_unique(tuple(each.name for each in catalog.definitions), path="metrics", name="name")
    for place, definition in enumerate(catalog.definitions):
        _check_parts(catalog, definition, f"metrics[{place}].parts")
        _check_weighted_parts(catalog, definition, place)
    return replace(catalog, digest=digest_of(document))


def _definition(reader: Reader) -> MetricDefinition:
    definition = MetricDefinition(
        name=reader.text("name"),
        unit=reader.text("unit"),
        direction=_DIRECTIONS[reader.choice("better", BetterValue)],
        meaning=reader.text("meaning"),
        minimum=reader.number("minimum") if reader.asks("minimum") else None,
        maximum=reader.number("maximum") if reader.asks("maximum") else None,
        parts=reader.words("parts"),
        weighted_parts=reader.items("weighted_parts", _weighted_part) if reader.asks("weighted_parts") else (),
        converts=reader.text("converts", ""),
        group=reader.choice("group", MetricGroup),
        scope=reader.choice("scope", MetricScope, MetricScope.ARTIFACT),
        bases=_members(reader, "bases", Basis),
        producers=_members(reader, "producers", Producer),
        label=reader.text("label", ""),
        has_parameter=reader.flag("has_parameter", default=False),
        is_retired=reader.flag("retired", default=False),
    )
    _check_definition(reader, definition)
    return definition


def _weighted_part(reader: Reader) -> WeightedPart:
    part = WeightedPart(reader.text("name"), reader.number("weight"))
    if part.weight <= 0:
        raise reader.fault("weight", "must be above 0.")
    return part


def _members(reader: Reader, key: str, kind: type[E]) -> tuple[E, ...]:
    """The listed members of an enumeration, in its order; all of them if the key is missing."""
    listed = reader.words(key)
    if not set(listed) <= set(kind):
        raise reader.fault(key, f"may list only {', '.join(kind)}.")
    return tuple(member for member in kind if not listed or member in listed)


def _check_definition(reader: Reader, definition: MetricDefinition) -> None:
    if not METRIC_NAME.fullmatch(definition.name):
        raise reader.fault("name", "must be 1 to 48 lowercase letters, digits and underscores, like latency_p95_ms.")
    if not METRIC_UNIT.fullmatch(definition.unit):
        raise reader.fault("unit", "must be 1 to 16 characters without spaces, like ms, USD, ratio or 1/s.")
    for key, limit in (("label", LABEL_CHARS_MAX), ("meaning", MEANING_CHARS_MAX)):
        if len(getattr(definition, key)) > limit:
            raise reader.fault(key, f"is longer than {limit} characters.")
    minimum, maximum = definition.minimum, definition.maximum
    if minimum is not None and maximum is not None and minimum >= maximum:
        raise reader.fault("maximum", "must be above the minimum.")


def _check_parts(catalog: MetricCatalog, definition: MetricDefinition, place: str) -> None:
    """Raise Invalid unless the parts are plain metrics of the same unit that add up to a cost or a load."""
    for part in definition.parts:
        if part not in catalog or catalog[part].unit != definition.unit or catalog[part].parts:
            text = f"{place} names {part!r}; a part is a metric of the catalog in {definition.unit} without parts."
            raise Invalid(text, field=place)
    is_total = bool(definition.parts or definition.weighted_parts)
    if is_total and (definition.direction is not Direction.LOWER or definition.minimum != 0):
        raise Invalid(f"{place} are for totals that are 0 or more, of which lower is better.", field=place)


def _check_weighted_parts(catalog: MetricCatalog, definition: MetricDefinition, place: int) -> None:
    """Raise Invalid unless the parts are plain metrics that are 0 or more, named once and beside no `parts`."""
    field = f"metrics[{place}].weighted_parts"
    check_unique(tuple(part.name for part in definition.weighted_parts), path=field, name="name")
    if definition.parts and definition.weighted_parts:
        raise Invalid(f"{field} and parts exclude each other.", field=field)
    for part in definition.weighted_parts:
        kind = catalog.get(part.name)
        if kind is None or kind.parts or kind.weighted_parts or kind.minimum != 0:
            text = f"{field} names {part.name!r}; a part is a metric of the catalog that is 0 or more, without parts."
            raise Invalid(text, field=field)
    _check_converted(catalog, definition, place)


def _check_converted(catalog: MetricCatalog, definition: MetricDefinition, place: int) -> None:
    """Raise Invalid unless the converted metric stands before this one and has the same weighted parts."""
    if not definition.converts:
        return
    field = f"metrics[{place}].converts"
    earlier = {each.name: each for each in catalog.definitions[:place]}
    whole = earlier.get(definition.converts)
    if whole is None or not whole.weighted_parts or _part_names(whole) != _part_names(definition):
        text = f"{field} names {definition.converts!r}; it must be an earlier metric with the same weighted parts."
        raise Invalid(text, field=field)


def _part_names(definition: MetricDefinition) -> set[str]:
    return {part.name for part in definition.weighted_parts}


def check_successor(before: MetricCatalog, after: MetricCatalog) -> None:
    """Raise Invalid unless every metric of `before` means the same in `after`."""
    places = {definition.name: place for place, definition in enumerate(after.definitions)}
    for old in before.definitions:
        if old.name not in places:
            text = f"{old.name} is missing. Values and policies may name it, so write retired: true instead."
            raise Invalid(text, field="metrics")
        _check_unchanged(old, after[old.name], f"metrics[{places[old.name]}]")


_LASTING = (
    ("unit", "unit"),
    ("direction", "better"),
    ("parts", "parts"),
    ("scope", "scope"),
    ("converts", "converts"),
)


def _check_unchanged(old: MetricDefinition, new: MetricDefinition, place: str) -> None:
    for field, key in _LASTING:
        if getattr(old, field) != getattr(new, field):
            text = f"{place}.{key} of {old.name} cannot change, because values are on record. Add a metric instead."
            raise Invalid(text, field=f"{place}.{key}")
    if not set(old.weighted_parts) <= set(new.weighted_parts):
        text = f"{place}.weighted_parts of {old.name} can only grow, because values are on record."
        raise Invalid(text, field=f"{place}.weighted_parts")
    if old.has_parameter and not new.has_parameter:
        raise Invalid(f"{place}.has_parameter of {old.name} cannot be taken away.", field=f"{place}.has_parameter")
    if _narrows(old.minimum, new.minimum, sign=1) or _narrows(old.maximum, new.maximum, sign=-1):
        text = f"{place} narrows the range of {old.name}, so that values on record would be impossible."
        raise Invalid(text, field=place)


def _narrows(old: Decimal | None, new: Decimal | None, *, sign: int) -> bool:
    return new is not None and (old is None or (new - old) * sign > 0)


def catalog_document(catalog: MetricCatalog) -> dict[str, object]:
    """The document of a catalog, for its first version; `parse_catalog` reads it back."""
    metrics = [_definition_document(definition) for definition in catalog.definitions]
    return {"apiVersion": API_VERSION, "kind": KIND, "name": NAME, "title": catalog.title, "metrics": metrics}


def _definition_document(definition: MetricDefinition) -> dict[str, object]:
    better = BetterValue.LOWER if definition.direction is Direction.LOWER else BetterValue.HIGHER
    document: dict[str, object] = {"name": definition.name, "unit": definition.unit, "better": better.value}
    document |= {"group": definition.group.value, "meaning": definition.meaning}
    for key in ("minimum", "maximum"):
        bound = getattr(definition, key)
        document |= {key: _plain_number(bound)} if bound is not None else {}
    document |= {"scope": definition.scope.value} if definition.scope is not MetricScope.ARTIFACT else {}
    document |= {"parts": list(definition.parts)} if definition.parts else {}
    if definition.weighted_parts:
        document["weighted_parts"] = [
            {"name": part.name, "weight": _plain_number(part.weight)} for part in definition.weighted_parts
        ]
    document |= {"converts": definition.converts} if definition.converts else {}
    document |= {"bases": list(map(str, definition.bases))} if definition.bases != tuple(Basis) else {}
    if definition.producers != tuple(Producer):
        document["producers"] = [producer.value for producer in definition.producers]
    document |= {"label": definition.label} if definition.label else {}
    document |= {"has_parameter": True} if definition.has_parameter else {}
    return document | ({"retired": True} if definition.is_retired else {})


def _plain_number(number: Decimal) -> int | str:
    return int(number) if number == number.to_integral_value() else number_text(number)
