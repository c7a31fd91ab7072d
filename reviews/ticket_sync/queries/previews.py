"""What the preview of a route can show: the tickets of requests, or of action items, before they exist."""

from dataclasses import dataclass
from datetime import datetime

from governance.people.domain.roles import Person
from reviews.quarterly.models import ActionItem
from reviews.quarterly.rules import may_see_cycles
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.queries.drafts import action_draft
from reviews.ticket_sync.queries.values import values_of, values_of_request
from reviews.tickets.domain.routing import Work
from reviews.tickets.models import TicketRoute
from reviews.tickets.ports import TicketDraft
from reviews.tickets.queries.drafts import draft_of

OFFERED_MAX = 50


@dataclass(frozen=True, kw_only=True)
class PreviewSubject:
    """A request or an action item whose ticket can be shown."""

    ref: str
    title: str
    subject: ReviewRequest | ActionItem

    def draft(self, *, now: datetime) -> TicketDraft:
        """Its ticket, with the values that fields can hold."""
        if isinstance(self.subject, ReviewRequest):
            return draft_of(self.subject).with_values(values_of_request(self.subject, now=now))
        return action_draft(self.subject).with_values(values_of(self.subject.ticket, now=now))


def samples_for(route: TicketRoute, *, person: Person) -> list[PreviewSubject]:
    """The latest subjects of the work that the route takes; requests, if it takes everything.

    Action items are those of the quarterly review, which not everybody may see.
    """
    if route.work != Work.ACTION_ITEM:
        requests = ReviewRequest.objects.exclude(submitted_at=None).order_by("-pk")[:OFFERED_MAX]
        return [PreviewSubject(ref=row.ref, title=row.title, subject=row) for row in requests]
    if not may_see_cycles(person):
        return []
    rows = ActionItem.objects.exclude(ticket=None).select_related("ticket", "owner", "decision__item__cycle")
    items = rows.order_by("-pk")[:OFFERED_MAX]
    return [PreviewSubject(ref=item.ref, title=item.decision.item.title, subject=item) for item in items]
