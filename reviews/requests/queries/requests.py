"""Find and list requests, limited to those a person may see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Length

from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from governance.inventory.models import ModelVersion
from governance.inventory.queries import audience_of
from governance.people.domain.roles import Person, Role
from governance.people.models import Team
from governance.people.queries.people import name_of
from governance.people.rules import sees_everything
from governance.search_index.queries import LISTED_MOST, WantedEntries, found_whole
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.rules import Parties
from weighbridge.core.errors import Invalid, NotFound

M = TypeVar("M", bound=Model)
_RELATED = ("team", "requester", "owner", "model_version__asset")
SHARED = tuple(role for role in Role if role is not Role.REQUESTER)
"""The roles that see the requests of all teams."""
COLUMNS = (
    *("Request", "Title", "State", "Outcome", "Model", "Artifact"),
    *("Team", "Environment", "Requester", "Owner", "Filed"),
)


@dataclass(frozen=True)
class RequestSelection:
    """The filters of a list of requests. Empty fields do not filter; `also` is a further condition."""

    search: str = ""
    state: str = ""
    team: str = ""
    environment: str = ""
    mine: bool = False
    also: Q = field(default_factory=Q)


def visible_to(person: Person) -> QuerySet[ReviewRequest]:
    """The requests the person may see: `reviews.requests.rules.may_see` as a query."""
    rows = ReviewRequest.objects.select_related(*_RELATED)
    if sees_everything(person):
        return rows
    return rows.filter(Q(team__slug__in=person.teams) | owned_by(person))


def readers_of(request: ReviewRequest) -> QuerySet[User]:
    """The active people who may see the request, by user name: `visible_to` from the other side."""
    team = Q(role_grants__role=Role.REQUESTER, role_grants__team=request.team_id)
    parties = Q(pk__in=[request.requester_id, request.model_version.asset.owner_id])
    rows = User.objects.filter(Q(role_grants__role__in=SHARED) | team | parties, is_active=True)
    return rows.distinct().order_by("username")


def check_can_owe(user: User, *, request: ReviewRequest, field: str) -> None:
    """Raise Invalid unless the person may see the request, and so learns of a condition that they owe."""
    if not readers_of(request).filter(pk=user.pk).exists():
        reason = f"{name_of(user)} may not see {request.ref}, and cannot be responsible for a condition."
        raise Invalid(reason, field=field)


def find(*, ref: str, person: Person) -> ReviewRequest:
    """The request. Raises NotFound if it does not exist or the person may not see it."""
    rows = visible_to(person).select_related(
        "policy", "checklist", "dataset", "model_version__asset__team", "model_version__asset__owner"
    )
    return first_of(rows.filter(ref=ref), otherwise=f"There is no request {ref} that you can see.")


def first_of(rows: QuerySet[M], *, otherwise: str) -> M:
    """The first row. Raises NotFound, with `otherwise` as the reason, if there is none."""
    row = rows.first()
    if row is None:
        raise NotFound(otherwise)
    return row


def list_requests(*, person: Person, filters: RequestSelection) -> QuerySet[ReviewRequest]:
    """The filtered requests, newest first."""
    rows = _seen_by(person).order_by("-created_at", "-pk")
    if filters.search:
        words = filters.search.strip()
        ids = found_whole(searched(words, audience=audience_of(person)))
        rows = rows.filter(_with_words(words) if ids is None else Q(pk__in=ids))
    if filters.state in {state.value for state in RequestState}:
        rows = rows.filter(state=filters.state)
    if filters.team:
        rows = rows.filter(team__slug=filters.team)
    if filters.environment:
        rows = rows.filter(environment=filters.environment)
    if filters.mine:
        rows = rows.filter(owned_by(person))
    return rows.filter(filters.also)


def _with_words(words: str) -> Q:
    """What `searched` finds, without entries: for more hits than a search reads."""
    return (
        Q(ref__icontains=words)
        | Q(title__icontains=words)
        | Q(purpose__icontains=words)
        | Q(model_version__asset__name__icontains=words)
        | Q(model_version__digest=words)
        | Q(decision__authorization__number__icontains=words)
        | Q(requester__username=words)
    )


def _seen_by(person: Person) -> QuerySet[ReviewRequest]:
    """`visible_to` for many rows: three parts that each read an index, where one condition over all reads the table."""
    if sees_everything(person):
        return visible_to(person)
    ids = ReviewRequest.objects.values("pk")
    teams = ids.filter(team__in=Team.objects.filter(slug__in=person.teams).values("pk"))
    owned = ModelVersion.objects.filter(asset__owner=person.id)
    parts = ids.filter(requester=person.id), ids.filter(model_version__in=owned.values("pk"))
    return ReviewRequest.objects.filter(pk__in=teams.union(*parts)).select_related(*_RELATED)


def searched(words: str, *, audience: Sequence[str], most: int = LISTED_MOST) -> WantedEntries:
    """The search for requests: by parts of their reference, title or purpose, of the name of their model or of the
    number of their authorization; or by the whole digest, or the whole user name of the requester.
    """
    requesters = User.objects.filter(username=words).values_list("pk", flat=True)
    exact = [f"={words}"] if words.startswith("sha256:") else [f"#by:{pk}" for pk in requesters]
    return WantedEntries(kind="request", audience=audience, phrases=(words,), exact=exact, most=most)


def table(*, person: Person, filters: RequestSelection) -> ExportTable:
    """All pages of the list as a table."""
    rows = list_requests(person=person, filters=filters).select_related("decision", "model_version__asset__owner")
    return ExportTable("requests", COLUMNS, map(_cells, rows.iterator()), rows.count())


def _cells(row: ReviewRequest) -> Sequence[Cell]:
    outcome = row.decision.outcome if hasattr(row, "decision") else ""
    version = row.model_version
    return (
        row.ref,
        row.title,
        row.state,
        outcome,
        str(version),
        version.digest,
        row.team.slug,
        row.environment,
        row.requester.username,
        version.asset.owner.username,
        row.created_at,
    )


def owned_by(person: Person) -> Q:
    """Select the requests that the person filed or whose model they own."""
    return Q(requester_id=person.id) | Q(model_version__asset__owner_id=person.id)


def parties_of(request: ReviewRequest) -> Parties:
    """The parties of a request. The owner is the current owner of the model, not the one at filing."""
    return Parties(request.team.slug, request.requester_id, request.model_version.asset.owner_id)


def next_ref(now: datetime) -> str:
    """The reference after the last one of the year; `locking.take_ref` makes it unique."""
    prefix = f"MRR-{now.year}-"
    rows = ReviewRequest.objects.filter(ref__startswith=prefix).order_by(Length("ref").desc(), "-ref")
    last = rows.values_list("ref", flat=True).first()
    return f"{prefix}{int(last.rpartition('-')[2]) + 1 if last else 1:04d}"
