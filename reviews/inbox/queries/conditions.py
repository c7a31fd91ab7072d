"""Conditions that are due soon."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from governance.notifications.models import Notification
from governance.notifications.queries.relevance import waits_while
from governance.people.domain.roles import Person
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import OPEN_CONDITION, Condition
from reviews.inbox.domain import end_of, horizon, reminder_due
from reviews.inbox.queries.reminders import reminder_terms

OF_CONDITION = ("authorization__decision__request__team", "authorization__decision__request__model_version__asset")
"""What is read with a condition: the parties of its request."""


def _is_owed(notice: Notification, person: Person, now: datetime) -> bool:
    """Whether the condition is still to be met."""
    prefix, _, rest = notice.key.partition(":")
    rows = Condition.objects.filter(OPEN_CONDITION, authorization__state__in=IN_FORCE)
    return prefix != "condition" or rows.filter(pk=rest.partition(":")[0]).exists()


waits_while("condition_due", waits=_is_owed)


@dataclass(frozen=True)
class DueCondition:
    """An open condition whose owner is told now, so many working days before the end of its last day."""

    condition: Condition
    due_at: datetime
    days_before: int


def due_conditions(*, now: datetime) -> Iterator[DueCondition]:
    """The open conditions of authorizations in force of which somebody is told now."""
    terms = reminder_terms()
    rows = Condition.objects.filter(
        OPEN_CONDITION,
        authorization__state__in=IN_FORCE,
        due_on__gte=now.date(),
        due_on__lte=(now + horizon(terms)).date(),
    )
    for row in rows.select_related("owner", *OF_CONDITION).order_by("pk"):
        due_at = end_of(row.due_on)
        occasion = reminder_due(now=now, due_at=due_at, terms=terms)
        if occasion is not None and occasion.days_before is not None:
            yield DueCondition(row, due_at, occasion.days_before)
