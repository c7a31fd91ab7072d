"""The values of a ticket that fields of the tracker can hold."""

from datetime import datetime

from governance.budgets.enums import BudgetUnit
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization, Decision
from reviews.evidence.queries.evidence import subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.queries.drafts import page_of
from reviews.tickets.models import Ticket
from reviews.tickets.ports import Value
from reviews.tickets.queries.drafts import request_url


def values_of(ticket: Ticket, *, now: datetime) -> dict[str, Value | None]:
    """The present values by the names of `FIELD_VALUES`. What does not exist yet is left out; what ended is None."""
    values: dict[str, Value | None] = {"reference": ticket.subject[1], "link": page_of(ticket)}
    return values | (values_of_request(ticket.request, now=now) if ticket.request is not None else {})


def values_of_request(request: ReviewRequest, *, now: datetime) -> dict[str, Value | None]:
    """The present values of a request, whether it has a ticket or not."""
    amounts = EvidenceSnapshot(request, now).amounts
    values: dict[str, Value | None] = {
        "reference": request.ref,
        "link": request_url(request),
        "cost_of_year": amounts[BudgetUnit.USD],
        "gpu_hours": amounts[BudgetUnit.GPU_H],
        "tier": subject_of(request).tier,
    }
    decision = Decision.objects.filter(request=request).first()
    if decision is not None:
        values["decision"] = decision.get_outcome_display()
        authorization = Authorization.objects.filter(decision=decision).first()
        if authorization is not None:
            holds = authorization.state in {*IN_FORCE, AuthorizationState.EXPIRED}
            values["authorized_until"] = authorization.expires_at.date() if holds else None
    return values
