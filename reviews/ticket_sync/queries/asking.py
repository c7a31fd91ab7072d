"""Ask a site while a person waits for the page. A failure becomes a refusal in the adapter's words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from django.utils import timezone

from reviews.ticket_sync.queries.connections import atlassian_for, settings_of
from reviews.tickets.domain.atlassian import CloudSite, OAuthApp, OAuthTokens, site_at
from reviews.tickets.jira.catalog import JiraCatalog
from reviews.tickets.jira.detection import detect
from reviews.tickets.jira.signing_in import OAuthAccess
from reviews.tickets.models import TicketRoute, TicketSite
from reviews.tickets.ports import TrackerError, TrackerHealth, TrackerServer
from reviews.tickets.queries.sites import configuration_of
from weighbridge.core.errors import Invalid


def detected(url: str) -> TrackerServer:
    """What the server at the address says it is. Raises Invalid at the field of the address."""
    try:
        return detect(
            url.strip(),
            allow_plain_http=settings.WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"],
            clock=timezone.now,
            **settings.WEIGHBRIDGE["TICKETS"],
        )
    except TrackerError as failure:
        raise Invalid(failure.reason, field="base_url") from failure


def consented(site: TicketSite, *, app: OAuthApp, code: str, callback: str) -> tuple[OAuthTokens, CloudSite]:
    """What a person allowed at Atlassian: the tokens, and the site. Raises Invalid if it is not this site."""
    atlassian = atlassian_for(site)
    try:
        tokens = atlassian.exchanged(app, code=code, callback=callback)
        sites = atlassian.sites(tokens.access)
    except TrackerError as failure:
        raise Invalid(failure.reason) from failure
    found = site_at(site.base_url, sites)
    if found is None:
        others = ", ".join(other.url for other in sites) or "no site of Jira"
        raise Invalid(
            f"The account gave access to {others}, but not to {site.base_url}: connect again with an account of this "
            "site, and choose it on the page of Atlassian."
        )
    return tokens, found


def consented_health(site: TicketSite, *, tokens: OAuthTokens, found: CloudSite) -> TrackerHealth:
    """Test the connection with tokens that are not stored yet."""
    api_url = atlassian_for(site).hosts.site_url(found.cloud_id)
    return connection_health(site, given=OAuthAccess(api_url=api_url, tokens=lambda _: tokens.access))


@contextmanager
def catalog(
    site: TicketSite, *, route: TicketRoute | None = None, given: str | OAuthAccess | None = None
) -> Iterator[JiraCatalog]:
    """The lists of a site. Raises Invalid if it cannot be asked."""
    try:
        opened = JiraCatalog(settings_of(site, route=route, given=given), clock=timezone.now)
        try:
            yield opened
        finally:
            opened.close()
    except TrackerError as failure:
        raise Invalid(failure.reason) from failure


def connection_health(site: TicketSite, *, account: str = "", given: str | OAuthAccess | None = None) -> TrackerHealth:
    """Test the connection with each route of the site: with the stored credential, or with one before it is stored."""
    asked = site
    if given is not None:
        asked = TicketSite(base_url=site.base_url, flavor=site.flavor, settle_s=site.settle_s, account=account)

    def check(route: TicketRoute | None) -> TrackerHealth:
        with catalog(asked, route=route, given=given) as jira:
            return jira.check()

    return health_with_each_route(site, check=check, has_credential=given is None)


def first_health(site: TicketSite, *, route: TicketRoute, given: str) -> TrackerHealth:
    """Test the connection with a site and its only route before any of it is stored."""
    with catalog(site, route=route, given=given) as jira:
        return jira.check()


def health_with_each_route(
    site: TicketSite, *, check: Callable[[TicketRoute | None], TrackerHealth], has_credential: bool = True
) -> TrackerHealth:
    """What `check` finds with each route of the site, or without one if it has none; in words, the first problem.

    It ends early at a problem that every route has. The result says which configuration was tested; without the
    credential, if another than the stored one was tested.
    """
    routes = list(site.routes.all())
    tested = configuration_of(site, routes=routes, has_credential=has_credential)
    asked: list[TicketRoute | None] = [*routes] or [None]
    found, failed = list[TrackerHealth](), list[TrackerHealth]()
    for route in asked:
        health = check(route)
        found.append(health)
        if not health.is_signed_in or health.retry_after_s is not None:
            failed = [health]
            break
        failed += [] if health.ok else [health]
    steps = tuple(dict.fromkeys(step for health in found for step in health.steps))
    working = {route for route, health in zip(asked, found, strict=False) if health.ok}
    broken = tuple(route.pk for route in routes if route not in working)
    return replace([*failed, *found][0], steps=steps, tested=tested, broken=broken)
