"""A metric catalog: the metrics that requests, policies and checklists may name, with their units and meaning.

The catalog of the toolkit is in `weighbridge.core.metrics.standard`. An installation publishes its own versions of it,
which may add metrics; the unit, direction and parts of a metric never change under its name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.titles import readable

_PARAMETER = re.compile(r"@[0-9]{1,6}(\.[0-9]{1,6})?")
SEVERAL = 12
"""Names that an error message lists."""


class Direction(StrEnum):
    """The better direction."""

    LOWER = "lower is better"
    HIGHER = "higher is better"


class MetricGroup(StrEnum):
    """The group under which pages list a metric."""

    COST = "cost"
    BUSINESS = "business"
    QUALITY = "quality"
    SPEED = "speed and size"
    RESOURCES = "resources and energy"


class MetricScope(StrEnum):
    """What a value of the metric is about: it travels with the artifact, with its deployment in one environment, or
    belongs to one request alone.
    """

    ARTIFACT = "artifact"
    DEPLOYMENT = "deployment"
    REQUEST = "request"


class Producer(StrEnum):
    """Who or what may produce a value of a metric."""

    PERSON = "person"
    PROJECTION = "projection"
    BENCHMARK = "benchmark"
    SIGNER = "signer"
    BILL = "bill"


@dataclass(frozen=True)
class WeightedPart:
    """A metric, and what one unit of it adds to a weighted sum."""

    name: str
    weight: Decimal


@dataclass(frozen=True)
class MetricDefinition:
    """One entry of a catalog: a name with its unit, its better direction, its meaning and its possible range.

    `parts` are the metrics that a total must at least add up to. A metric with `weighted_parts` is at least the
    weighted sum of those that have a value; if it converts the amount of another metric (`converts`), the sum counts
    only if the parts account for all of that amount. `bases` and `producers` may speak for the metric.
    With `has_parameter`, values are named with or without a number, like `ndcg@10`. A retired metric keeps its values,
    but no new ones are stated. `label` names it in lists and charts; "" makes it from the name.
    """

    name: str
    unit: str
    direction: Direction
    meaning: str
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = None
    parts: tuple[str, ...] = ()
    weighted_parts: tuple[WeightedPart, ...] = ()
    converts: str = ""
    group: MetricGroup = MetricGroup.QUALITY
    scope: MetricScope = MetricScope.ARTIFACT
    bases: tuple[Basis, ...] = tuple(Basis)
    producers: tuple[Producer, ...] = tuple(Producer)
    label: str = ""
    has_parameter: bool = False
    is_retired: bool = False

    @cached_property
    def title(self) -> str:
        """The name in lists and charts."""
        return self.label or readable(self.name)

    @property
    def sign(self) -> int:
        """1 if a higher value is less favorable, -1 if a lower one is."""
        return 1 if self.direction is Direction.LOWER else -1

    @cached_property
    def summed(self) -> frozenset[str]:
        """The names of the metric and of its parts."""
        return frozenset({self.name, *self.parts, *(part.name for part in self.weighted_parts)})


@dataclass(frozen=True, eq=False)
class MetricCatalog(Mapping[str, MetricDefinition]):
    """The metrics by name, in the order in which pages list them.

    `catalog["ndcg@10"]` finds the definition of `ndcg` if that has a parameter. Iteration gives the names as defined.
    """

    definitions: tuple[MetricDefinition, ...]
    title: str = "Metrics"
    digest: str = ""

    @cached_property
    def _by_name(self) -> dict[str, MetricDefinition]:
        return {definition.name: definition for definition in self.definitions}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {definition.name: place for place, definition in enumerate(self.definitions)}

    def __getitem__(self, name: str) -> MetricDefinition:
        exact = self._by_name.get(name)
        if exact is not None:
            return exact
        base, sign, _ = name.partition("@")
        definition = self._by_name[base]
        if not definition.has_parameter or not _PARAMETER.fullmatch(name[len(base) :]):
            raise KeyError(name)
        return replace(definition, name=name, label=f"{definition.title} {sign} {name[len(base) + 1 :]}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self.definitions)

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """The distinct names that the catalog has, in its order."""
        known = {name for name in names if name in self}
        return tuple(sorted(known, key=lambda name: (self._places[self._base_of(name)], name)))

    def _base_of(self, name: str) -> str:
        return name if name in self._by_name else name.partition("@")[0]

    @cached_property
    def stated(self) -> tuple[MetricDefinition, ...]:
        """The metrics of which people may state new values."""
        return tuple(each for each in self.definitions if not each.is_retired and Producer.PERSON in each.producers)

    @cached_property
    def totals(self) -> tuple[MetricDefinition, ...]:
        """The metrics that have parts."""
        return tuple(each for each in self.definitions if each.parts or each.weighted_parts)

    def names_of(self, scope: MetricScope) -> tuple[str, ...]:
        """The names of the metrics of one scope."""
        return tuple(each.name for each in self.definitions if each.scope is scope)

    def find(self, name: str, *, field: str = "name") -> MetricDefinition:
        """The definition of a name; raise Invalid with similar names, or with some of the catalog, if there is none."""
        if (known := self.get(name)) is not None:
            return known
        stem = name.partition("@")[0].partition("_")[0]
        similar = [each for each in self if stem and stem in each][:SEVERAL]
        if similar:
            raise Invalid(f"There is no metric {name!r}; did you mean {', '.join(similar)}?", field=field)
        several = ", ".join(list(self)[:SEVERAL])
        text = f"There is no metric {name!r}; the catalog has {len(self)} metrics, for example {several}."
        raise Invalid(text, field=field)
