"""Reads of the model inventory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from governance.exports.domain.tables import ExportTable
from governance.exports.queries import Columns, table_of
from governance.inventory.domain.aliases import managed_models
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.rules import sees_everything
from governance.rulebook.domain.scopes import SubjectKind
from governance.search_index.queries import EVERYBODYS, LISTED_MOST, WantedEntries, found_whole
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.subjects.kinds import SUBJECT_KINDS, parse_subject, parts_of
from weighbridge.subjects.lineage import (
    MOST_VISITED,
    Ancestor,
    Relation,
    check_acyclic,
    lineage_document,
    parse_lineage,
)
from weighbridge.subjects.subject import Subject

COLUMNS: Columns = {
    "Model": lambda row: f"{row.team.slug}/{row.slug}",
    "Name": "name",
    "Team": "team.name",
    "Tier": "tier",
    "Owner": "owner.username",
    "Versions": "version_count",
    "Latest version": lambda row: row.latest_version or "",
    "Digest": lambda row: row.latest_digest or "",
    "Registered": "latest_at",
}


@dataclass(frozen=True)
class ModelSelection:
    """Filters of the list. An empty field means no filter."""

    search: str = ""
    team: str = ""
    tier: str = ""


def visible_to(person: Person) -> QuerySet[ModelAsset]:
    """Models that the person owns, and those of the teams that they may see."""
    rows = ModelAsset.objects.select_related("team", "owner")
    if sees_everything(person):
        return rows
    return rows.filter(Q(team__slug__in=person.teams) | Q(owner_id=person.id))


def listed(*, person: Person, filters: ModelSelection) -> QuerySet[ModelAsset]:
    """Models by name, each with `version_count` and its `latest_version`, `latest_digest`, `latest_at`."""
    latest = ModelVersion.objects.filter(asset=OuterRef("pk")).order_by("-registered_at", "-pk")
    counted = ModelVersion.objects.filter(asset=OuterRef("pk")).order_by().values("asset").annotate(count=Count("pk"))
    rows = visible_to(person).annotate(
        version_count=Coalesce(Subquery(counted.values("count")), 0),
        latest_version=Subquery(latest.values("version")[:1]),
        latest_digest=Subquery(latest.values("digest")[:1]),
        latest_at=Subquery(latest.values("registered_at")[:1]),
    )
    words = filters.search.strip()
    if words:
        ids = found_whole(searched(words, audience=audience_of(person)))
        by_digest = ModelVersion.objects.filter(digest=words).values("asset")
        named = Q(name__icontains=words) | Q(slug__icontains=words) | Q(pk__in=by_digest)
        rows = rows.filter(named if ids is None else Q(pk__in=ids))
    if filters.team:
        rows = rows.filter(team__slug=filters.team)
    if filters.tier:
        rows = rows.filter(tier=filters.tier)
    return rows.order_by("name", "team__slug", "slug")


def search_tags(person: Person) -> list[str]:
    """The tags of search entries that show a thing to the person: their teams, and what they own or requested."""
    teams = Team.objects.filter(slug__in=person.teams).values_list("pk", flat=True)
    return [*(f"#team:{team}" for team in teams), f"#by:{person.id}", f"#owner:{person.id}", "#governed"]


def audience_of(person: Person) -> Sequence[str]:
    """The tags of the requests and models that the person may see."""
    return (EVERYBODYS,) if sees_everything(person) else search_tags(person)


def searched(words: str, *, audience: Sequence[str], most: int = LISTED_MOST) -> WantedEntries:
    """The search for models: by parts of their name, or by the whole digest of a version."""
    exact = (f"={words}",) if words.startswith("sha256:") else ()
    return WantedEntries(kind="model", audience=audience, phrases=(words,), exact=exact, by_words=True, most=most)


def table(*, person: Person, filters: ModelSelection) -> ExportTable:
    """The models as a table."""
    return table_of("models", columns=COLUMNS, rows=listed(person=person, filters=filters))


def find(*, team: str, slug: str, person: Person) -> ModelAsset:
    """The model. Raises NotFound if it does not exist or this person may not see it."""
    asset = visible_to(person).filter(team__slug=team, slug=slug).first()
    if asset is None:
        raise NotFound(f"There is no model {team}/{slug} that you can see.")
    return asset


def find_named(name: str, *, person: Person) -> ModelAsset:
    """The model that is written "team/model" in a form. Raises Invalid unless this person may see it."""
    team, _, slug = name.strip().partition("/")
    found = visible_to(person).filter(team__slug=team, slug=slug).first()
    if found is None:
        raise Invalid(f"There is no model {name!r} that you can see; write it as team/model.", field="model")
    return found


def offered(person: Person, *, limit: int = 200) -> list[tuple[str, str]]:
    """("team/model", name) of the first models by name that the person may see, for a field that takes any of them."""
    rows = visible_to(person).order_by("name", "pk").values_list("team__slug", "slug", "name")[:limit]
    return [(f"{team}/{slug}", name) for team, slug, name in rows]


def document_of_version(version: ModelVersion) -> dict[str, Any]:
    """The document of the version as a subject."""
    if version.document:
        return dict(version.document)
    size = {"size_bytes": version.size_bytes} if version.size_bytes is not None else {}
    return {"kind": version.kind, "format": version.format, "sha256": version.digest.removeprefix("sha256:")} | size


def subject_lines(version: ModelVersion) -> tuple[str, ...]:
    """What the subject is, in one line each: itself, and what it consists of; none for a file."""
    if not version.document:
        return ()
    subject = parse_subject(version.document)
    return tuple(f"{part.kind}: {SUBJECT_KINDS[part.kind].describe(part)}" for part in (subject, *parts_of(subject)))


def managed_within(version: ModelVersion) -> tuple[Subject, ...]:
    """The managed models that the version is or contains; a model that a deployment names by digest is looked up."""
    found = managed_models(version.document)
    if found or version.kind != SubjectKind.DEPLOYMENT.value:
        return found
    rows = ModelVersion.objects.filter(digest__in=version.contained, kind=SubjectKind.MANAGED.value)
    return tuple(subject for row in rows.order_by("pk")[:1] for subject in managed_models(row.document))


def versions_of(asset: ModelAsset) -> list[ModelVersion]:
    """All registered versions, newest first."""
    return list(asset.versions.select_related("registered_by").order_by("-registered_at", "-pk"))


def find_version(*, version_id: int, person: Person) -> ModelVersion:
    """The version. Raises NotFound if it does not exist or this person may not see it."""
    rows = ModelVersion.objects.select_related("asset__team", "asset__owner", "registered_by")
    version = rows.filter(asset__in=visible_to(person), pk=version_id).first()
    if version is None:
        raise NotFound(f"There is no model version {version_id} that you can see.")
    return version


def is_retired_with(*digests: str) -> Q:
    """The versions that a vendor retires under one of these digests."""
    managed = Q(kind=SubjectKind.MANAGED.value, contained__overlap=list(digests))
    return Q(digest__in=digests) | managed


def retirement_day(version: ModelVersion) -> date | None:
    """The first day on which a vendor retires the version or something that it contains; None if none is announced."""
    if not version.contained:
        return version.ends_on
    rows = ModelVersion.objects.filter(is_retired_with(version.digest, *version.contained))
    day: date | None = rows.aggregate(first=Min("ends_on"))["first"]
    return day


def retirement_days() -> dict[str, date]:
    """The first day of retirement for each digest that has one, or that contains what has one."""
    days: dict[str, date] = {}
    for row in ModelVersion.objects.filter(ends_on__isnull=False).only("digest", "kind", "contained", "ends_on"):
        digest = row.retired_digest
        days[digest] = min(filter(None, (row.ends_on, days.get(digest))))
    if not days:
        return days
    wholes = ModelVersion.objects.filter(contained__overlap=list(days)).values_list("digest", "contained")
    found = dict(days)
    for digest, contained in wholes:
        first = min(days[part] for part in contained if part in days)
        found[digest] = min(first, found.get(digest, first))
    return found


def wholes_of(digest: str) -> list[str]:
    """The digest, and those of what contains it."""
    wholes = ModelVersion.objects.filter(contained__contains=[digest]).values_list("digest", flat=True)
    return sorted({digest, *wholes})


def lineage_columns(*, digest: str, document: object) -> dict[str, Any]:
    """The columns of what a subject was made from. Raises Invalid for a cycle, and for more than 30 generations."""
    ancestors = parse_lineage(document)
    parents = [each.digest for each in ancestors if each.digest]
    known = _known_parents(parents)
    check_acyclic(digest, ancestors, lambda each: known.get(each, ()))
    return {"lineage": lineage_document(ancestors), "parents": sorted(set(parents))}


def _known_parents(digests: Collection[str]) -> dict[str, list[Ancestor]]:
    """The parents of these digests and of their ancestors, as the versions of all teams state them."""
    known: dict[str, list[Ancestor]] = {}
    fresh = set(digests)
    while fresh and len(known) <= MOST_VISITED:
        known |= {digest: [] for digest in fresh}
        rows = ModelVersion.objects.filter(digest__in=fresh).values_list("digest", "parents")
        for digest, parents in rows:
            known[digest] += [Ancestor(Relation.BASE_MODEL, digest=parent) for parent in parents]
        fresh = {parent.digest for digest in fresh for parent in known[digest]} - known.keys()
    return known


def descendants(days: Mapping[str, date]) -> dict[str, date]:
    """The days of these digests, and of everything that was made from them: the first day of all its ancestors."""
    found, fresh = dict(days), dict(days)
    while fresh:
        rows = ModelVersion.objects.filter(parents__overlap=list(fresh)).values_list("digest", "parents")
        sooner: dict[str, date] = {}
        for digest, parents in rows:
            first = min(fresh[parent] for parent in parents if parent in fresh)
            if digest not in found or first < found[digest]:
                sooner[digest] = min(first, sooner.get(digest, first))
        found |= sooner
        fresh = sooner
    return found
