"""The text of the ticket of a request, and lookups of tickets."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from reviews.tickets.ports import Fields, Heading, Link, Paragraph, TicketDraft, ticket_label
from weighbridge.core.metrics.standard import metric_words


def request_url(request: ReviewRequest) -> str:
    """The URL of the page of the request."""
    return f"{settings.WEIGHBRIDGE['BASE_URL']}/requests/{request.ref}/"


def draft_of(request: ReviewRequest) -> TicketDraft:
    """The ticket of a request with a mandatory review, with every rule that caused it."""
    evaluation = request.policy_evaluations.order_by("pk").first()
    results = evaluation.document["results"] if evaluation else []
    rules = tuple((metric_words(result["metric"]), result["reason"]) for result in results if result["effect"])
    version = request.model_version
    return TicketDraft(
        label=ticket_label(instance=settings.WEIGHBRIDGE["INSTANCE"], reference=request.ref),
        summary=f"{request.ref} Model review: {request.title}",
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
    """The ticket of an outbox message, by the id of the ticket, its request or its action item."""
    rows = Ticket.objects.select_related("site", "route", "request", "action_item__decision__item__cycle")
    if "ticket_id" in payload:
        return rows.get(pk=payload["ticket_id"])
    if "action_id" in payload:
        return rows.get(action_item_id=payload["action_id"])
    return rows.get(request_id=payload["request_id"])
