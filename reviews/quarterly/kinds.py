"""The discussion of an item of the agenda."""

from django.db.models import Q

from governance.people.domain.roles import Person
from reviews.discussions.kinds import DiscussedKind, active, discuss, row_id
from reviews.quarterly.models import AgendaItem
from reviews.quarterly.rules import may_see_cycles
from reviews.requests.queries.requests import SHARED, first_of
from weighbridge.core.errors import NotFound


def _find(ref: str, person: Person) -> AgendaItem:
    """The item with this id. Raises NotFound if there is none, or for whoever may not see the quarterly review."""
    reason = f"There is no agenda item {ref[:40]} that you can see."
    if not may_see_cycles(person):
        raise NotFound(reason)
    return first_of(AgendaItem.objects.filter(pk=row_id(ref, otherwise=reason)), otherwise=reason)


AGENDA_ITEM = DiscussedKind(
    name="agenda_item",
    find=_find,
    people=lambda _: active(Q(role_grants__role__in=SHARED)),
    ref=lambda row: str(row.pk),
    title=lambda row: row.title,
    subject=lambda row: ("cycle", row.cycle.quarter),
    page=lambda row: ("reviews:cycle", [row.cycle.quarter]),
)
discuss(AGENDA_ITEM)
