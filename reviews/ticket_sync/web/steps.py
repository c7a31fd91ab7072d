"""What the pages of one site share: finding it, its steps, and the page itself."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from governance.people.web.current_user import person_of
from reviews.ticket_sync.queries.sites import site_view
from reviews.ticket_sync.rules import check_manage_sites
from reviews.tickets.models import Access, SiteState, TicketRoute, TicketSite


@dataclass(frozen=True)
class StepLink:
    """A step of setting up a site: its page, and whether it is done, current or to come."""

    word: str
    href: str
    state: str


@dataclass(frozen=True)
class SignInTab:
    """A way to sign in to a site, with its page."""

    title: str
    address: str
    is_current: bool


def ways_of(site: TicketSite, path: str) -> list[SignInTab]:
    """How Weighbridge can sign in to the site; none where there is no choice."""
    if site.flavor != "cloud":
        return []
    pages = {"API token": "reviews:ticket_site_credential", "OAuth 2.0": "reviews:ticket_site_oauth"}
    found = [(title, reverse(name, args=[site.pk])) for title, name in pages.items()]
    return [SignInTab(title, address, address == path) for title, address in found]


def site_of(request: HttpRequest, site_id: int) -> TicketSite:
    """The site, for administrators. Raises NotAllowed for others, before it is known whether the site exists."""
    check_manage_sites(person_of(request))
    return get_object_or_404(TicketSite.objects.exclude(state=SiteState.REMOVED), pk=site_id)


def route_of(request: HttpRequest, route_id: int) -> TicketRoute:
    """The route with its site, for administrators."""
    check_manage_sites(person_of(request))
    return get_object_or_404(TicketRoute.objects.select_related("site", "team"), pk=route_id)


def steps_of(site: TicketSite, route: TicketRoute | None, current: str) -> list[StepLink]:
    """The steps in order, with those done marked. The steps of a route lead to `route`, or to the first one."""
    route = route or site.routes.first()
    mapped = route is not None and bool(route.field_map or route.fields)
    signs_in = "oauth" if site.access == Access.OAUTH else "credential"
    found = [
        ("Address", reverse("reviews:ticket_site_address", args=[site.pk]), True),
        ("Credential", reverse(f"reviews:ticket_site_{signs_in}", args=[site.pk]), site.credential is not None),
    ]
    if route is None:
        found.append(("Project", reverse("reviews:ticket_route_new", args=[site.pk]), False))
    else:
        found += [
            ("Project", reverse("reviews:ticket_route", args=[route.pk]), True),
            ("Fields", reverse("reviews:ticket_route_fields", args=[route.pk]), mapped),
            ("Statuses", reverse("reviews:ticket_route_statuses", args=[route.pk]), bool(route.statuses)),
        ]
    found.append(("Webhook", reverse("reviews:ticket_site_webhook", args=[site.pk]), site.webhook_at is not None))
    if route is not None:
        found.append(("Preview", reverse("reviews:ticket_route_preview", args=[route.pk]), False))
    found.append(("Activate", reverse("reviews:ticket_site", args=[site.pk]), site.state == SiteState.ACTIVE))
    return [
        StepLink(word, href, "current" if word == current else ("done" if is_done else "to_come"))
        for word, href, is_done in found
    ]


def shown(
    request: HttpRequest,
    template: str,
    *,
    site: TicketSite,
    step: str,
    route: TicketRoute | None = None,
    form: forms.Form | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The page of one step."""
    steps = steps_of(site, route, step)
    after = [link.word for link in steps].index(step) + 1
    context = {
        "site": site,
        "view": site_view(site),
        "route": route,
        "form": form,
        "step": step,
        "steps": steps,
        "ways": ways_of(site, request.path) if step == "Credential" else [],
        "next": steps[after] if after < len(steps) else None,
        "crumbs": [
            ("Integrations", reverse("governance:integrations")),
            ("Ticket sites", reverse("reviews:ticket_sites")),
            (site.name, reverse("reviews:ticket_site", args=[site.pk]) if step != "Activate" else ""),
            *([(step, "")] if step != "Activate" else []),
        ],
    }
    return render(request, f"reviews/ticket_sync/{template}.html", context | more, status=status)
