"""A model version for page and API: what it was made from, what was made from it, and when its vendor retires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from governance.inventory.models import ModelVersion
from governance.inventory.queries import retirement_day, visible_to
from governance.people.domain.roles import Person
from weighbridge.subjects.lineage import Ancestor, parse_lineage

CHILDREN_MAX = 200


@dataclass(frozen=True)
class LinkedVersion:
    """A version that the reader may see, by its id and the model in addresses."""

    id: int
    team: str
    slug: str
    name: str


@dataclass(frozen=True)
class RelativeView:
    """What a version was made from, or what was made from it; `versions` are those that the reader may see.

    `digest` is empty for what is known by name and version alone.
    """

    relation: str
    digest: str
    name: str
    license: str
    versions: tuple[LinkedVersion, ...]


@dataclass(frozen=True)
class LineageView:
    """The parents of a version and its children, one generation each."""

    parents: tuple[RelativeView, ...]
    children: tuple[RelativeView, ...]


@dataclass(frozen=True)
class RetirementView:
    """The day on which the vendor retires the version, and the first day of it and of everything that it contains."""

    retires_on: date | None
    ends_on: date | None


def retirement_view(version: ModelVersion) -> RetirementView:
    """The retirement of a version."""
    return RetirementView(version.ends_on, retirement_day(version))


def lineage_view(version: ModelVersion, *, person: Person) -> LineageView:
    """The lineage of a version in both directions, with links to what the person may see."""
    seen = ModelVersion.objects.filter(asset__in=visible_to(person)).select_related("asset__team").order_by("pk")
    registered: dict[str, list[ModelVersion]] = {}
    for row in seen.filter(digest__in=version.parents):
        registered.setdefault(row.digest, []).append(row)
    children = seen.filter(parents__contains=[version.digest])[:CHILDREN_MAX]
    return LineageView(
        parents=tuple(_relative(each, registered.get(each.digest, ())) for each in parse_lineage(version.lineage)),
        children=tuple(
            _relative(each, (row,), digest=row.digest)
            for row in children
            for each in parse_lineage(row.lineage)
            if each.digest == version.digest
        ),
    )


def _relative(ancestor: Ancestor, rows: Sequence[ModelVersion], digest: str = "") -> RelativeView:
    links = tuple(LinkedVersion(row.pk, row.asset.team.slug, row.asset.slug, str(row)) for row in rows)
    name = f"{ancestor.name} {ancestor.version}" if ancestor.name else ""
    return RelativeView(ancestor.relation.value, digest or ancestor.digest, name, ancestor.license, links)
