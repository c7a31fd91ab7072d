"""Reads of the model inventory."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from weighbridge.core.errors import NotFound
from weighbridge.subjects.kinds import SUBJECT_KINDS, parse_subject


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


def document_of_version(version: ModelVersion) -> dict[str, Any]:
    """The document of the version as a subject."""
    if version.document:
        return dict(version.document)
    size = {"size_bytes": version.size_bytes} if version.size_bytes is not None else {}
    return {"kind": version.kind, "format": version.format, "sha256": version.digest.removeprefix("sha256:")} | size


def subject_lines(version: ModelVersion) -> tuple[str, ...]:
    """What the subject is, in one line each: the model itself and, of a pipeline, its parts; none for a file."""
    if not version.document:
        return ()
    subject = parse_subject(version.document)
    parts = (parse_subject(part["subject"]) for part in subject.document.get("parts", ()))
    return tuple(f"{part.kind}: {SUBJECT_KINDS[part.kind].describe(part)}" for part in (subject, *parts))


def versions_of(asset: ModelAsset) -> list[ModelVersion]:
    """All registered versions, newest first."""
    return list(asset.versions.select_related("registered_by").order_by("-registered_at", "-pk"))
