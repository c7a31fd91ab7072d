"""The settings of the adapter, from a stored site and route."""

import base64
from collections.abc import Mapping
from itertools import chain
from typing import Any

from django.conf import settings
from django.utils import timezone

from governance import secrets
from reviews.tickets.actions import access_token
from reviews.tickets.domain.atlassian import OAuthApp, OAuthTokens, hosts_for
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.domain.moves import MOVES
from reviews.tickets.jira.atlassian import Atlassian
from reviews.tickets.jira.flavors import FLAVORS
from reviews.tickets.jira.settings import CONNECT_AGAIN, STATUSES, JiraSettings
from reviews.tickets.jira.signing_in import OAuthAccess
from reviews.tickets.models import Access, OAuthGrant, TicketRoute, TicketSite
from reviews.tickets.ports import Misconfigured
from weighbridge.core.masking import hide_secrets

secrets.stores(
    "Credentials of ticket sites",
    tokens=lambda: chain(
        *TicketSite.objects.values_list("credential", "webhook_secret", "webhook_secret_before"),
        *OAuthGrant.objects.values_list("access_token", "refresh_token"),
    ),
)


def settings_of(
    site: TicketSite, *, route: TicketRoute | None = None, given: str | OAuthAccess | None = None
) -> JiraSettings:
    """The settings for one site and, if given, one of its routes. `given` replaces the stored credential.

    Raises Misconfigured if no credential is stored, SecretUnreadable if it cannot be decrypted.
    """
    if given is None:
        given = oauth_access(site) if site.access == Access.OAUTH else stored_token(site)
    elif isinstance(given, str):
        _hide(given, site)
    signs_in: dict[str, Any] = {"token": given} if isinstance(given, str) else {"oauth": given}
    project: dict[str, Any] = {}
    if route is not None:
        project = {
            "project": route.project,
            "work": route.work,
            "issue_type": route.issue_type,
            "fields": route.fields,
            "field_map": targets_of(route.field_map),
            "statuses": tuple(dict.fromkeys(route.statuses.values())),
        }
    return JiraSettings(
        url=site.base_url,
        email=site.account,
        flavor=FLAVORS[site.flavor],
        settle_s=site.settle_s,
        allow_plain_http=settings.WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"],
        **signs_in,
        **project,
        **settings.WEIGHBRIDGE["TICKETS"],
    )


def stored_token(site: TicketSite) -> str:
    """The stored credential, decrypted; "" if there is none. From then on, log lines and failures hide it."""
    token = secrets.decrypt(site.credential) if site.credential is not None else ""
    _hide(token, site)
    return token


def oauth_access(site: TicketSite) -> OAuthAccess:
    """The access of a site with OAuth. Its token is renewed when it is needed, not before.

    Raises Misconfigured if an administrator took the access back meanwhile.
    """
    grant = OAuthGrant.objects.filter(site=site).first()
    if grant is None:
        raise Misconfigured(CONNECT_AGAIN)
    atlassian = atlassian_for(site)

    def renewed(grant: OAuthGrant) -> OAuthTokens:
        refresh = secrets.decrypt(grant.refresh_token)
        hide_secrets(refresh)
        app = OAuthApp(client_id=grant.client_id, client_secret=stored_token(grant.site))
        return atlassian.renewed(app, refresh=refresh)

    def tokens(refused: str) -> str:
        return access_token(site=site, refused=refused, renewed=renewed, now=atlassian.clock())

    return OAuthAccess(api_url=atlassian.hosts.site_url(grant.cloud_id), tokens=tokens)


def atlassian_for(site: TicketSite) -> Atlassian:
    """Atlassian, or in development the stand-in that the site is."""
    hosts = hosts_for(site.base_url, allow_plain_http=settings.WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"])
    return Atlassian(hosts=hosts, clock=timezone.now, **settings.WEIGHBRIDGE["TICKETS"])


def _hide(token: str, site: TicketSite) -> None:
    """Hide the token, also in the form in which it is sent with an account."""
    hide_secrets(token, base64.b64encode(f"{site.account}:{token}".encode()).decode())


def webhook_secrets(site: TicketSite) -> list[str]:
    """The secrets that may sign the deliveries of the site: the present one, and the one before it.

    One that cannot be decrypted is "", which signs nothing.
    """
    stored = (site.webhook_secret, site.webhook_secret_before)
    found = [secrets.readable(secret) for secret in stored if secret is not None]
    hide_secrets(*filter(None, found))
    return found


def targets_of(field_map: Mapping[str, Mapping[str, str]]) -> dict[str, FieldTarget]:
    """The fields of a stored map."""
    return {name: FieldTarget(target["id"], FieldKind(target["kind"])) for name, target in field_map.items()}


def statuses_of(route: TicketRoute | None) -> dict[str, str]:
    """The status for each occasion: the usual ones, where the route names no other."""
    return {**STATUSES, **(route.statuses if route is not None else {})}


def moves_of(route: TicketRoute | None) -> dict[str, str]:
    """The meaning of a move to each status: the usual ones, where the route names no other."""
    return {**MOVES, **(route.moves if route is not None else {})}
