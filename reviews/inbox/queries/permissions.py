"""Permissions in an inbox: conditions to meet or confirm, and authorizations and clearances that end."""

from collections.abc import Iterable, Iterator, Set
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from governance.people.domain.roles import Person
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import name_of
from governance.people.rules import sees_everything
from reviews.authorizations.domain.authorization_states import AuthorizationState
from reviews.authorizations.models import CONDITIONAL, ENDING, LIVING, OPEN_CONDITION, Authorization, Condition
from reviews.authorizations.rules import CONFIRMING, may_confirm_condition
from reviews.inbox.domain import LISTED_MAX, InboxEntry, InboxKind, ReminderKind, end_of, horizon
from reviews.inbox.queries.away import own_or_left
from reviews.inbox.queries.conditions import OF_CONDITION
from reviews.inbox.queries.parts import parts_of
from reviews.inbox.queries.reminders import ENDS, reminder_terms
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.queries.requests import parties_of, visible_to

STEPS = {
    AuthorizationState.PENDING_EXPIRATION: "File the request again to renew the authorization.",
    AuthorizationState.SUSPENDED: "Meet the overdue conditions and have them confirmed.",
}


def conditions(person: Person, *, now: datetime) -> Iterator[InboxEntry]:
    """The unmet conditions that this person must meet or may confirm."""
    living = Authorization.objects.filter(LIVING & CONDITIONAL).values("pk")
    seen = Condition.objects.filter(OPEN_CONDITION, authorization__in=living)
    if not sees_everything(person):
        seen = seen.filter(authorization__decision__request__in=visible_to(person))
    if person.roles.isdisjoint(CONFIRMING):
        seen = seen.filter(owner=person.id)
    own_teams = cache(lambda: team_slugs_of(person, now=now))
    for row in (row for part in parts_of(seen.order_by("due_on", "pk"), whole=_with_parties) for row in part):
        request = row.authorization.decision.request
        is_mine = row.owner_id == person.id
        if is_mine or may_confirm_condition(
            person, parties_of(request), owner_id=row.owner_id, own_teams=lambda _: own_teams()
        ):
            yield InboxEntry(
                kind=InboxKind.CONDITION,
                ref=f"{row.authorization.number}",
                title=row.text,
                path=f"{reverse('reviews:detail', args=[request.ref])}#authorization",
                step="Meet it, and have it confirmed." if is_mine else "Confirm it when it is met.",
                since=row.authorization.issued_at,
                ends_at=end_of(row.due_on),
                note=f"{request.title}, {name_of(row.owner)}",
            )


def _with_parties(ids: QuerySet[Condition, Any]) -> QuerySet[Condition]:
    # Owners are read apart: PostgreSQL orders eight joined tables freely, and more of them as they are written.
    rows = Condition.objects.filter(pk__in=ids).select_related(*OF_CONDITION)
    return rows.prefetch_related("owner").order_by("due_on", "pk")


def authorizations(person: Person, *, absent: Set[int]) -> Iterator[InboxEntry]:
    """The authorizations of own requests, and for leads of requests left, that expire soon or are suspended."""
    own = visible_to(person).filter(own_or_left(person, absent=absent))
    rows = Authorization.objects.filter(ENDING, decision__request__in=own)
    for row in rows.select_related("decision__request__model_version__asset").order_by("expires_at", "pk")[:LISTED_MAX]:
        request = row.decision.request
        yield InboxEntry(
            kind=InboxKind.AUTHORIZATION,
            ref=row.number,
            title=f"{request.model_version} in {row.environment}",
            path=f"{reverse('reviews:detail', args=[request.ref])}#authorization",
            step=STEPS[AuthorizationState(row.state)],
            since=row.issued_at,
            ends_at=row.expires_at,
            note=request.title,
            state=row.state,
        )


def clearances(rows: Iterable[Any], *, now: datetime) -> Iterator[InboxEntry]:
    """The clearances of own requests, and for leads of requests left, that end soon."""
    end = now + horizon(reminder_terms())
    cleared = (row for row in rows if row.state == RequestState.CLEARED)
    for row in (row for row in cleared if row.deadline_at is not None and now < row.deadline_at <= end):
        yield InboxEntry(
            kind=InboxKind.REQUEST,
            ref=row.ref,
            title=row.title,
            path=reverse("reviews:detail", args=[row.ref]),
            step=ENDS[ReminderKind.CLEARANCE],
            since=row.submitted_at or row.created_at,
            ends_at=row.deadline_at,
            note=f"{row.model_version}, {row.team.name}",
            state=row.state,
        )
