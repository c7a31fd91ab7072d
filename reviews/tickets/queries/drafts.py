"""What a ticket says of a request, or of an action item of the quarterly review; and where it leads back to."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.tickets.ports import Fields, Heading, Link, Paragraph, TicketDraft
from weighbridge.core.errors import NotFound


def request_url(request: ReviewRequest) -> str:
    """The page of the request."""
    return f"{settings.WEIGHBRIDGE['BASE_URL']}/requests/{request.ref}/"


def draft_of(request: ReviewRequest) -> TicketDraft:
    """The ticket of a request whose review became mandatory, with every rule that stands against it."""
    said = request.policy_evaluations.order_by("pk").first()
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
            Fields(rules),
            Heading("Subject"),
            Fields(
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
