"""Ticket sites as an administrator set them up: tested, active, with a route for every ticket."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from governance import secrets
from reviews.tickets import actions as effects
from reviews.tickets.models import Access, ExternalIdentity, OAuthGrant, SiteState, Ticket, TicketRoute, TicketSite
from reviews.tickets.ports import RemoteTicket
from tests.standins.jira.oauth import CLOUD_ID
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter

URL, TOKEN = "https://jira.test", "t-0123456789"


def make_site(
    *, now: datetime, name: str = "Jira", url: str = URL, token: str = TOKEN, webhook: str = "", **changes: Any
) -> TicketSite:
    """An active site; `webhook` is the secret of its deliveries."""
    fields: dict[str, Any] = {
        "flavor": "cloud",
        "version": "1001.0.0",
        "server": "Jira Cloud",
        "state": SiteState.ACTIVE,
        "access": Access.ACCOUNT,
        "account": "bot@example.org",
        "credential": secrets.encrypt(token),
        "webhook_secret": secrets.encrypt(webhook) if webhook else None,
        "tested_at": now,
        "is_ok": True,
        "created_at": now,
    }
    return TicketSite.objects.create(name=name, base_url=url, **(fields | changes))


def make_route(site: TicketSite, **changes: Any) -> TicketRoute:
    """The route of every ticket to the project MR."""
    return TicketRoute.objects.create(site=site, **({"project": "MR", "issue_type": "Task"} | changes))


def make_routed_site(*, now: datetime, **changes: Any) -> TicketSite:
    """An active site with a route for every ticket."""
    site = make_site(now=now, **changes)
    make_route(site)
    return site


def make_linked_site(*users: User, now: datetime, **changes: Any) -> TicketSite:
    """An active site at which each of the users has an account, with their name as its id."""
    site = make_site(now=now, **changes)
    for user in users:
        ExternalIdentity.objects.create(site=site, user=user, account_id=user.username)
    return site


def site_at(jira: JiraCloud, *, now: datetime, **changes: Any) -> TicketSite:
    """An active site with a route for every ticket, at a stand-in."""
    account: dict[str, Any] = {"account": jira.config.email}
    if isinstance(jira, JiraDataCenter):
        version = jira.issues.about.version
        account = {"account": "", "access": Access.TOKEN, "flavor": "data_center", "version": version}
        account |= {"server": f"Jira Data Center {version}", "signs_webhooks": not version.startswith("9.")}
    route = {"project": jira.config.project, "issue_type": "Task"}
    site = make_site(now=now, url=jira.url, token=jira.config.token, **(account | changes))
    make_route(site, **route)
    return site


def make_connected_site(*, now: datetime, access: str = "an-old-access", **changes: Any) -> OAuthGrant:
    """An active site with access by OAuth, which ended; its credential is the secret of the app."""
    site = make_routed_site(now=now, account="", access=Access.OAUTH, **changes)
    tokens = {"access_token": secrets.encrypt(access), "refresh_token": secrets.encrypt(f"{access}-refresh")}
    return OAuthGrant.objects.create(site=site, client_id="an-app", cloud_id=CLOUD_ID, expires_at=now, **tokens)


def connect(site: TicketSite, jira: JiraCloud, *, now: datetime) -> OAuthGrant:
    """Give the site access by OAuth at its stand-in, as if an administrator had connected it."""
    given = jira.accounts.tokens()
    secret = secrets.encrypt(jira.config.client_secret)
    TicketSite.objects.filter(pk=site.pk).update(access=Access.OAUTH, account="", credential=secret)
    site.refresh_from_db()
    return OAuthGrant.objects.create(
        site=site,
        client_id=jira.config.client_id,
        cloud_id=CLOUD_ID,
        access_token=secrets.encrypt(given["access_token"]),
        refresh_token=secrets.encrypt(given["refresh_token"]),
        expires_at=now + timedelta(seconds=given["expires_in"]),
    )


def replace_token(site: TicketSite, token: str) -> None:
    """Store another credential, as if it had been tested."""
    TicketSite.objects.filter(pk=site.pk).update(credential=secrets.encrypt(token))


def a_site(now: datetime) -> TicketSite:
    """The first active site, or a new one with a route for every ticket; waiting tickets are routed to it."""
    site = TicketSite.objects.filter(state=SiteState.ACTIVE).first() or make_routed_site(now=now)
    effects.route_waiting(now=now)
    return site


def link(ticket: Ticket, *, remote: RemoteTicket, now: datetime) -> Ticket:
    """Link a ticket to its twin at a site."""
    a_site(now)
    ticket.refresh_from_db()
    return effects.link_ticket(ticket=ticket, remote=remote, now=now)
