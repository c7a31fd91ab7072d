"""The part of the integrations page about incoming data from the tracker."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from reviews.tickets.queries import mirror as inbound


@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """`/integrations/inbound/`: numbers of deliveries and reads, and the last comparison, without naming requests."""
    context = {
        "statistics": inbound.inbound_statistics(now=timezone.now()),
        "reconciliation": inbound.last_reconciliation(),
        "has_secret": bool(settings.WEIGHBRIDGE["JIRA_INBOUND"]["secrets"]),
        "hook_url": f"{settings.WEIGHBRIDGE['BASE_URL']}/hooks/jira/",
    }
    return render(request, "reviews/ticket_sync/_fragments/inbound.html", context)
