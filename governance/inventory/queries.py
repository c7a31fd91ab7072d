"""Reads of the model inventory."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from weighbridge.core.errors import NotFound


@dataclass(frozen=True)
class ModelSelection:
    """Filters of the list. An empty field means no filter."""

    search: str = ""
    team: str = ""
    tier: str = ""


def visible_to(person: Person) -> QuerySet[ModelAsset]:
    """Models of the teams that the person may see."""
    rows = ModelAsset.objects.select_related("team", "owner")
    return rows if sees_everything(person) else rows.filter(team__slug__in=person.teams)


def listed(*, person: Person, filters: ModelSelection) -> QuerySet[ModelAsset]:
    """Models by name, each with `version_count` and its `latest_version`, `latest_digest`, `latest_at`."""
    latest = ModelVersion.objects.filter(asset=OuterRef("pk")).order_by("-registered_at", "-pk")
    rows = visible_to(person).annotate(
        version_count=Count("versions"),
        latest_version=Subquery(latest.values("version")[:1]),
        latest_digest=Subquery(latest.values("digest")[:1]),
        latest_at=Subquery(latest.values("registered_at")[:1]),
    )
    words = filters.search.strip()
    if words:
        by_digest = ModelVersion.objects.filter(digest=words).values("asset")
        rows = rows.filter(Q(name__icontains=words) | Q(slug__icontains=words) | Q(pk__in=by_digest))
    if filters.team:
        rows = rows.filter(team__slug=filters.team)
    if filters.tier:
        rows = rows.filter(tier=filters.tier)
    return rows.order_by("name", "team__slug", "slug")


def find(*, team: str, slug: str, person: Person) -> ModelAsset:
    """The model. Raises NotFound if it does not exist or this person may not see it."""
    asset = visible_to(person).filter(team__slug=team, slug=slug).first()
    if asset is None:
        raise NotFound(f"There is no model {team}/{slug} that you can see.")
    return asset


def versions_of(asset: ModelAsset) -> list[ModelVersion]:
    """All registered versions, newest first."""
    return list(asset.versions.select_related("registered_by").order_by("-registered_at", "-pk"))
