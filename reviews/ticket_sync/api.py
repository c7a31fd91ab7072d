"""Where Jira says that something happened. The signature is the authentication; the body is a hint, never the truth."""

import logging

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.queries.connections import webhook_secrets
from reviews.tickets.domain.moves import BODY, has_valid_signature, hint_of, is_too_old
from reviews.tickets.models import TicketSite
from reviews.tickets.queries.mirror import linked_ticket
from weighbridge.core.errors import Invalid

log = logging.getLogger(__name__)


@csrf_exempt  # the signature is the proof; no cookie is looked at
@require_POST
def jira(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/hooks/jira/ID/`: 202 once stored, 200 for one stored before, 204 for what is not ours, 401 for the forged, 503
    to be sent again.
    """
    body = request.read(BODY.bytes_max + 1)
    if len(body) > BODY.bytes_max:
        return _said(413, "The body is larger than any that Jira sends.")
    site = TicketSite.objects.filter(pk=site_id).first()
    secrets = webhook_secrets(site) if site is not None else []
    if secrets and not any(secrets):
        log.error(
            "No secret of the webhook of site %s can be decrypted: set the old secret key too, or renew it.", site_id
        )
        return _again("The delivery cannot be checked now; send it again.")
    signature = request.headers.get("X-Hub-Signature", "")
    if site is None or not has_valid_signature(body=body, signature=signature, secrets=secrets):
        return _said(401, "The signature does not fit the body.")
    is_present = has_valid_signature(body=body, signature=signature, secrets=secrets[:1])
    try:
        return _stored(request, site, body, is_present=is_present)
    except Invalid as refusal:
        return _said(400, refusal.reason)
    except Error:
        log.exception("A delivery of Jira could not be stored; it is asked for again.")
        return _again("The delivery could not be stored; send it again.")


def _stored(request: HttpRequest, site: TicketSite, body: bytes, *, is_present: bool) -> HttpResponse:
    """Store the delivery. Only one signed with the present secret shows that Jira knows it (`is_present`)."""
    now = timezone.now()
    hint = hint_of(body)
    if is_too_old(hint, now):
        return _said(401, "The delivery is more than a day old.")
    if is_present:
        inbound.record_delivery(site=site, now=now)
    ticket = linked_ticket(site=site, issue_id=hint.issue_id)
    if ticket is None:
        return HttpResponse(status=204)
    identifier = request.headers.get("X-Atlassian-Webhook-Identifier", "")
    is_new = inbound.receive(identifier=identifier, hint=hint, body=body, ticket=ticket, now=now)
    return _said(202, "Stored.") if is_new else _said(200, "Stored before.")


def _again(sentence: str) -> HttpResponse:
    answer = _said(503, sentence)
    answer["Retry-After"] = "60"
    return answer


def _said(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence}, status=status)


urlpatterns = [path("jira/<int:site_id>/", jira, name="jira")]
