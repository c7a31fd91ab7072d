"""What a ticket says of a request."""

from django.conf import settings

from reviews.models import ReviewRequest
from reviews.ports import Facts, Heading, Link, Paragraph, TicketDraft


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
