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
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from governance.people.rules import sees_everything
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.rules import Parties
from weighbridge.core.errors import Invalid, NotFound

M = TypeVar("M", bound=Model)
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
    rows = ReviewRequest.objects.select_related("team", "requester", "owner", "model_version__asset")
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
    rows = visible_to(person).order_by("-created_at", "-pk")
    if filters.search:
        text = filters.search.strip()
        rows = rows.filter(
            Q(ref__icontains=text)
            | Q(title__icontains=text)
            | Q(purpose__icontains=text)
            | Q(model_version__asset__name__icontains=text)
            | Q(model_version__digest=text)
            | Q(decision__authorization__number__icontains=text)
            | Q(requester__username=text)
        )
    if filters.state in {state.value for state in RequestState}:
        rows = rows.filter(state=filters.state)
    if filters.team:
        rows = rows.filter(team__slug=filters.team)
    if filters.environment:
        rows = rows.filter(environment=filters.environment)
    if filters.mine:
        rows = rows.filter(owned_by(person))
    return rows.filter(filters.also)


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
    """The next free reference of the year. The caller must hold the lock that makes it unique."""
    prefix = f"MRR-{now.year}-"
    rows = ReviewRequest.objects.filter(ref__startswith=prefix).order_by(Length("ref").desc(), "-ref")
    last = rows.values_list("ref", flat=True).first()
    return f"{prefix}{int(last.rpartition('-')[2]) + 1 if last else 1:04d}"
