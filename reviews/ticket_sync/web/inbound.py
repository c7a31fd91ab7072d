"""The parts of the integrations page about the ticket sites and what comes from them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.web.current_user import person_of
from reviews.ticket_sync.queries.sites import site_view
from reviews.ticket_sync.rules import may_manage_sites
from reviews.tickets.queries import mirror as inbound
from reviews.tickets.queries.sites import active_sites, shown_sites


@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """`/integrations/inbound/`: numbers of deliveries and reads, and the last comparisons, without naming requests."""
    context = {
        "statistics": inbound.inbound_statistics(now=timezone.now()),
        "comparisons": [
            (site, comparison) for site in active_sites() if (comparison := inbound.last_reconciliation(site))
        ],
    }
    return render(request, "reviews/ticket_sync/_fragments/inbound.html", context)


@require_safe
def sites(request: HttpRequest) -> HttpResponse:
    """`/integrations/ticket-sites/`: the state of each site. The fragment polls while a test is running."""
    views = [site_view(site) for site in shown_sites()]
    context = {
        "sites": views,
        "is_polling": any(view.is_testing for view in views),
        "may_manage": may_manage_sites(person_of(request)),
    }
    return render(request, "reviews/ticket_sync/_fragments/sites.html", context)
