"""The text of the ticket of a request or an action item, and its link back to Weighbridge."""

from dataclasses import replace

from django.conf import settings

from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ActionItem
from reviews.tickets.models import Ticket
from reviews.tickets.ports import Fields, Heading, Link, Paragraph, TicketDraft
from reviews.tickets.queries.drafts import draft_of
from weighbridge.core.errors import NotFound


def action_of(ticket: Ticket) -> ActionItem:
    """The action item of a ticket. Raises NotFound for the ticket of a request."""
    if ticket.action_item is None:
        raise NotFound(f"{ticket} is not the ticket of an action item.")
    return ticket.action_item


def page_of(ticket: Ticket) -> str:
    """The URL of the page that the ticket links to."""
    pages = "requests" if ticket.request_id else "action-items"
    return f"{settings.WEIGHBRIDGE['BASE_URL']}/{pages}/{ticket.subject[1]}/"


def title_of(ticket: Ticket) -> str:
    """The title of the link back to Weighbridge."""
    if ticket.request is not None:
        return f"{ticket.request.ref} {ticket.request.title}"
    item = action_of(ticket)
    return f"{item.ref} {item.decision.item.title}"


def draft_for(ticket: Ticket) -> TicketDraft:
    """The text of the ticket when it is opened."""
    if ticket.request is not None:
        return replace(draft_of(ticket.request), label=ticket.label)
    return action_draft(action_of(ticket))


def action_draft(item: ActionItem) -> TicketDraft:
    """The ticket of an action item: decision, rationale, owner and due date."""
    decision, subject = item.decision, item.decision.item
    kind = DecisionKind(decision.kind)
    rows = (
        ("Decision", kind.words),
        ("Owner", item.owner.get_full_name() or item.owner.username),
        ("Due", f"{item.due_on:%Y-%m-%d}"),
        ("Decided by", decision.decided_by.get_full_name() or decision.decided_by.username),
        ("Quarter", subject.cycle.quarter),
    )
    return TicketDraft(
        label=item.ticket.label,
        summary=f"{item.ref} {kind.words.capitalize()}: {subject.title}"[:250],
        body=(
            Paragraph(decision.rationale),
            Fields(rows),
            Heading("Why it was on the agenda"),
            Paragraph(subject.reason),
            Heading("Immediate effect"),
            Paragraph(decision.effect),
            Link(f"{item.ref} in Weighbridge", page_of(item.ticket)),
        ),
    )
