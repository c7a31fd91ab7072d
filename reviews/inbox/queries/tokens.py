"""API tokens in an inbox: those that expire soon."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F
from django.urls import reverse

from governance.people.domain.roles import Person, Role
from governance.people.models import ApiToken
from governance.people.queries.people import name_of
from reviews.inbox.domain import LISTED_MAX, InboxEntry, InboxKind, horizon
from reviews.inbox.queries.reminders import reminder_terms

SHORT = timedelta(days=14)
"""A token that was made for so long or less is for one task; nobody renews it."""


def expiring_tokens(person: Person, *, now: datetime) -> Iterator[InboxEntry]:
    """The own tokens that expire soon; for administrators those of every open account, as programs have accounts too.

    A token that has expired lets nobody in, and nothing waits for it.
    """
    rows = ApiToken.objects.filter(
        revoked_at=None,
        user__is_active=True,
        expires_at__gt=now,
        expires_at__lte=now + horizon(reminder_terms()),
    ).filter(expires_at__gt=F("created_at") + SHORT)
    if not person.has_role(Role.ADMIN):
        rows = rows.filter(user=person.id)
    for row in rows.select_related("user").order_by("expires_at", "pk")[:LISTED_MAX]:
        yield InboxEntry(
            kind=InboxKind.TOKEN,
            ref=str(row),
            title=f"The API token of {name_of(row.user)} expires",
            path=reverse("governance:help"),
            step="Ask an operator for another one, and give it to the program that uses this one.",
            since=row.created_at,
            ends_at=row.expires_at,
            note=f"scope {row.scope}",
        )
