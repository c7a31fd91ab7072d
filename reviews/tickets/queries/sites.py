"""Reads of ticket sites and routes."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import reduce
from hashlib import sha256
from operator import or_

from django.db.models import BigIntegerField, Case, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.forms import model_to_dict

from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import CHECK, OutboxMessage
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.domain.routing import RoutedSubject, Work, chosen_route
from reviews.tickets.models import OAuthGrant, SiteState, Ticket, TicketRoute, TicketSite, TicketState
from weighbridge.core.canonical import digest_of

_ITEM = "action_item__decision__item__"
_ABOUT = (
    *("request__team", "request__model_version", f"{_ITEM}team", f"{_ITEM}asset__team"),
    *(f"{_ITEM}request__team", f"{_ITEM}request__model_version"),
)
# The same as `routed_subject`, so that tickets no route takes are not even read.
_TEAM = Coalesce(*(f"{where}team__slug" for where in ("request__", _ITEM, f"{_ITEM}request__", f"{_ITEM}asset__")))
_KIND = Coalesce("request__model_version__kind", f"{_ITEM}request__model_version__kind")
_WORK = Case(When(request=None, then=Value(Work.ACTION_ITEM.value)), default=Value(Work.REVIEW.value))
QUIET = timedelta(days=1)
NIGHT_HOUR = 2


def configuration_of(site: TicketSite, *, routes: Iterable[TicketRoute], has_credential: bool = True) -> str:
    """The digest of what a test of the connection depends on: the address of the site, how we sign in, the routes.

    A test of a credential that is not stored yet depends on the others alone. Of a grant, the app and the site count:
    its tokens are renewed while it is used.
    """
    document: dict[str, object] = {"address": site.base_url, "flavor": site.flavor}
    document["routes"] = [model_to_dict(route) for route in sorted(routes, key=lambda route: route.pk)]
    if has_credential:
        stored = bytes(site.credential) if site.credential is not None else b""
        grant = OAuthGrant.objects.filter(site=site.pk).values_list("client_id", "cloud_id").first()
        document["access"] = [site.access, site.account, sha256(stored).hexdigest(), list(grant or ())]
    return digest_of(document)


def is_configured_as(site: TicketSite, *, tested: str) -> bool:
    """Whether the site, read under its lock, is still as it was tested."""
    routes = list(site.routes.all())
    return tested in {configuration_of(site, routes=routes, has_credential=has) for has in (True, False)}


def active_sites() -> list[TicketSite]:
    """The sites in which tickets are opened, oldest first."""
    return list(TicketSite.objects.filter(state=SiteState.ACTIVE))


def shown_sites() -> QuerySet[TicketSite]:
    """Every site that is not removed, with its routes."""
    rows = TicketSite.objects.exclude(state=SiteState.REMOVED)
    return rows.prefetch_related("routes__team").order_by("pk")


def routed_subject(ticket: Ticket) -> RoutedSubject:
    """What of a ticket a route can select."""
    if ticket.request is not None:
        version = ticket.request.model_version
        return RoutedSubject(team=ticket.request.team.slug, kind=version.kind, work=Work.REVIEW)
    item = ticket.action_item.decision.item if ticket.action_item is not None else None
    about = item.request if item is not None else None
    owner = about or (item.asset if item is not None else None)
    team = (item.team if item is not None else None) or (owner.team if owner is not None else None)
    return RoutedSubject(
        team=team.slug if team is not None else "",
        kind=about.model_version.kind if about is not None else "",
        work=Work.ACTION_ITEM,
    )


def place_of(ticket: Ticket) -> dict[str, int]:
    """What a message about the ticket says about the outside system: the site, and as its part the route."""
    place = {"system": ticket.site_id, "part": ticket.route_id}
    return {name: pk for name, pk in place.items() if pk is not None}


def route_for(subject: RoutedSubject) -> TicketRoute | None:
    """The route of an active site that takes such a ticket, or None."""
    return chosen_route(active_routes(), subject)


def active_routes() -> list[TicketRoute]:
    """The routes of all active sites."""
    return list(TicketRoute.objects.filter(site__state=SiteState.ACTIVE).select_related("site", "team"))


def routable(routes: Iterable[TicketRoute]) -> QuerySet[Ticket]:
    """The tickets without a site that one of the routes takes, with what `routed_subject` reads of them."""
    taken = [
        Q(pk__isnull=False, **{name: value for name, value in asdict(route.scope).items() if value}) for route in routes
    ]
    if not taken:
        return Ticket.objects.none()
    rows = Ticket.objects.filter(site=None).select_related(*_ABOUT).annotate(team=_TEAM, kind=_KIND, work=_WORK)
    return rows.filter(reduce(or_, taken)).order_by("pk")


def left_behind() -> QuerySet[Ticket]:
    """The tickets with a site whose opening paused before they had one, so that no success at the site resumes it."""
    paused = OutboxMessage.objects.filter(kind="ticket.open", state=JobState.PAUSED, payload__system__isnull=True)
    of = [
        paused.values_list(Cast(KeyTextTransform(name, "payload"), BigIntegerField()))
        for name in ("request_id", "action_id")
    ]
    rows = Ticket.objects.filter(site__isnull=False).select_related("request", "action_item")
    return rows.filter(Q(request_id__in=of[0]) | Q(action_item_id__in=of[1])).order_by("pk")


def waiting_tickets(site: TicketSite) -> int:
    """The number of tickets of the site that are not opened yet, or that have an update to be sent."""
    unopened = Ticket.objects.filter(site=site).exclude(state=TicketState.LINKED).count()
    messages = OutboxMessage.objects.filter(payload__system=site.pk, state__in=UNFINISHED, kind__startswith="ticket.")
    return max(unopened, messages.count())


def test_under_way(site: TicketSite) -> OutboxMessage | None:
    """The unfinished test of the connection to the site, if there is one."""
    rows = OutboxMessage.objects.filter(kind=CHECK, payload__system=site.pk, state__in=UNFINISHED)
    return rows.order_by("-pk").first()


def comparison_occasion(*, site: TicketSite, now: datetime) -> str:
    """The hour or the night (after 02:00 UTC) for which the tickets of the site are to be compared now; "" for none.

    A site that sent no signed delivery for a day is compared each hour: perhaps it sends none that counts.
    """
    if site.comparison not in set(ReconciliationMode):
        return ""
    if site.webhook_at is None or site.webhook_at <= now - QUIET:
        occasion = f"hour:{now:%Y-%m-%dT%H}"
    elif now.hour >= NIGHT_HOUR:
        occasion = f"night:{now:%Y-%m-%d}"
    else:
        return ""
    return occasion if Ticket.objects.filter(site=site, state=TicketState.LINKED).exists() else ""
