"""What a ticket says of a request, or of an action item of the quarterly review; and where it leads back to."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from governance.people.queries.people import name_of
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ActionItem
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.tickets.ports import Facts, Heading, Link, Paragraph, TicketDraft
from weighbridge.core.errors import NotFound


def request_url(request: ReviewRequest) -> str:
    """The page of the request."""
    return f"{settings.WEIGHBRIDGE['BASE_URL']}/requests/{request.ref}/"


def draft_of(request: ReviewRequest) -> TicketDraft:
    """The ticket of a request whose review became mandatory, with every rule that stands against it."""
    said = request.determinations.order_by("pk").first()
    results = said.document["results"] if said else []
    rules = tuple((each["rule_id"], each["why"]) for each in results if each["effect"])
    version = request.model_version
    return TicketDraft(
        label=request.ticket.label,
        summary=f"{request.ref} Model review: {request.title}",
        url=request_url(request),
        body=(
            Paragraph(request.business_case),
            Heading("Why a review is mandatory"),
            Facts(rules),
            Heading("Subject"),
            Facts(
                (
                    ("Model", str(version)),
                    ("Digest", version.digest),
                    ("Purpose", request.purpose),
                    ("Environment", request.environment),
                    ("Team", request.team.name),
                    ("Policy", str(request.policy)),
                )
            ),
            Link(f"{request.ref} in Weighbridge", request_url(request)),
        ),
    )


def ticket_of(payload: Mapping[str, Any]) -> Ticket:
    """The ticket an outbox message speaks of, by its own id, its request's or its action item's."""
    rows = Ticket.objects.select_related("request", "action_item__decision__item__cycle")
    if "ticket_id" in payload:
        return rows.get(pk=payload["ticket_id"])
    if "action_id" in payload:
        return rows.get(action_item_id=payload["action_id"])
    return rows.get(request_id=payload["request_id"])


def request_of(ticket: Ticket) -> ReviewRequest:
    """The request a ticket is of; NotFound where it is of an action item."""
    if ticket.request is None:
        raise NotFound(f"{ticket} is the ticket of no request.")
    return ticket.request


def action_of(ticket: Ticket) -> ActionItem:
    """The action item a ticket is of; NotFound where it is of a request."""
    if ticket.action_item is None:
        raise NotFound(f"{ticket} is the ticket of no action item.")
    return ticket.action_item


def action_url(item: ActionItem) -> str:
    """The page of the action item."""
    return f"{settings.WEIGHBRIDGE['BASE_URL']}/actions/{item.ref}/"


def page_of(ticket: Ticket) -> str:
    """Where the ticket leads back to."""
    return request_url(ticket.request) if ticket.request is not None else action_url(action_of(ticket))


def title_of(ticket: Ticket) -> str:
    """What the link back is called."""
    if ticket.request is not None:
        return f"{ticket.request.ref} {ticket.request.title}"
    item = action_of(ticket)
    return f"{item.ref} {item.decision.item.title}"


def draft_for(ticket: Ticket) -> TicketDraft:
    """What the ticket says when it is opened."""
    return draft_of(ticket.request) if ticket.request is not None else action_draft(action_of(ticket))


def action_draft(item: ActionItem) -> TicketDraft:
    """The ticket of an action item: what was decided, why, who owes it and until when."""
    decision, subject = item.decision, item.decision.item
    kind = DecisionKind(decision.kind)
    rows = (
        ("Decision", kind.words),
        ("Owner", name_of(item.owner)),
        ("Due", f"{item.due_on:%Y-%m-%d}"),
        ("Decided by", name_of(decision.decided_by)),
        ("Quarter", subject.cycle.quarter),
    )
    return TicketDraft(
        label=item.ticket.label,
        summary=f"{item.ref} {kind.words.capitalize()}: {subject.title}"[:250],
        url=action_url(item),
        body=(
            Paragraph(decision.rationale),
            Facts(rows),
            Heading("Why it was on the agenda"),
            Paragraph(subject.why),
            Heading("What followed at once"),
            Paragraph(decision.effect),
            Link(f"{item.ref} in Weighbridge", action_url(item)),
        ),
    )
