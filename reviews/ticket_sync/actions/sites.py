"""Ticket sites: added, given a credential that was tested, set to work, rotated, removed. Secrets are encrypted."""

import secrets as random
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from governance import secrets
from governance.audit.actions import record as audit
from governance.people.actions.people import ALONE
from reviews.ticket_sync.actions.accounts import unlink_all
from reviews.ticket_sync.locking import locked_site, refused_if_taken
from reviews.ticket_sync.rules import check_app, check_credential, need_site_manager
from reviews.tickets import actions as effects
from reviews.tickets.domain.addresses import address_problem
from reviews.tickets.domain.atlassian import OAuthApp, OAuthTokens
from reviews.tickets.models import MODES, Access, OAuthGrant, SiteState, Ticket, TicketSite
from reviews.tickets.ports import TrackerHealth, TrackerServer
from reviews.tickets.queries.sites import waiting_tickets
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid, WrongState

NAME_CHARS_MAX, ADDRESS_CHARS_MAX = 60, 200
SETTLE_S_MAX = 3_600
NOTHING_KNOWN: dict[str, Any] = {
    "state": SiteState.SETUP,
    "credential": None,
    "account": "",
    "access": "",
    "webhook_secret": None,
    "webhook_secret_before": None,
    "webhook_at": None,
    "is_ok": None,
    "steps": [],
}
"""A site at a new address: its secrets were meant for the old one."""
SECRET_BYTES = 32


def add_site(*, name: str, url: str, server: TrackerServer, by: User | None, now: datetime) -> TicketSite:
    """Add a site that is being set up. `server` is what the site said it is. `by` is None for an operator."""
    need_site_manager(by)
    name, url = name.strip(), url.strip().rstrip("/")
    with transaction.atomic():
        _check_name(name, site=None)
        _check_address(url)
        with refused_if_taken(_name_taken(name)):
            site = TicketSite.objects.create(name=name, base_url=url, created_at=now, **_told_by(server))
        _record("added", site, by, now, {"address": url, "server": server.words})
    return site


def change_site(
    *, site: TicketSite, name: str, url: str, server: TrackerServer, by: User | None, now: datetime
) -> TicketSite:
    """Give a site another name, or another address as long as it has no tickets.

    At a new address the site is set up again: no secret of the old address is ever sent to another one, and the account
    of a person there may be another person's here. Whoever was linked to one is told.
    """
    need_site_manager(by)
    name, url = name.strip(), url.strip().rstrip("/")
    with transaction.atomic():
        row = locked_site(site)
        _check_name(name, site=row)
        _check_address(url)
        if url != row.base_url and Ticket.objects.filter(site=row).exists():
            raise WrongState(
                "This site has tickets, which another address may not have: add another site instead.", field="base_url"
            )
        details: dict[str, Any] = {"address": url, "server": server.words, "name": name}
        forgotten = NOTHING_KNOWN if url != row.base_url else {}
        with refused_if_taken(_name_taken(name)):
            _write(row, name=name, base_url=url, **_told_by(server), **forgotten)
        if forgotten:
            OAuthGrant.objects.filter(site=row).delete()
            details["unlinked"] = unlink_all(site=row, by=by, now=now)
        _record("changed", row, by, now, details)
    return row


def store_grant(
    *,
    site: TicketSite,
    app: OAuthApp,
    tokens: OAuthTokens,
    cloud_id: str,
    health: TrackerHealth,
    by: User | None,
    now: datetime,
) -> TicketSite:
    """Store the access that Atlassian gave to an app, after a test with the result `health`.

    What the test found after the account was accepted is about the routes: it is stored, and refuses no access.
    """
    need_site_manager(by)
    check_app(site=site, client_id=app.client_id, client_secret=app.client_secret)
    given = {
        "client_id": app.client_id,
        "cloud_id": cloud_id,
        "access_token": secrets.encrypt(tokens.access),
        "refresh_token": secrets.encrypt(tokens.refresh),
        "expires_at": tokens.expires_at,
    }
    with transaction.atomic():
        row = _locked_for_credential(site, health)
        # Before anything is audited: a worker that renews the tokens locks the grant, and then the trail.
        OAuthGrant.objects.update_or_create(site=row, defaults=given)
        _sign_in(row, Access.OAUTH, "", app.client_secret, health=health, by=by, now=now)
    return row


def store_credential(
    *,
    site: TicketSite,
    access: str,
    account: str,
    credential: str,
    health: TrackerHealth,
    by: User | None,
    now: datetime,
) -> TicketSite:
    """Store a credential that was tested with the result `health`. A refused one leaves the present one in place.

    What the test found after the account was accepted is about the routes, whose pages need the credential.
    """
    need_site_manager(by)
    check_credential(site=site, access=access, account=account, credential=credential)
    with transaction.atomic():
        row = _locked_for_credential(site, health)
        OAuthGrant.objects.filter(site=row).delete()
        _sign_in(row, access, account.strip(), credential.strip(), health=health, by=by, now=now)
    return row


def set_options(*, site: TicketSite, settle_s: int, comparison: str, by: User | None, now: datetime) -> TicketSite:
    """Set how long the search of the site may lag, and what a comparison does with a difference."""
    need_site_manager(by)
    if not 0 <= settle_s <= SETTLE_S_MAX:
        raise Invalid(f"The lag of the search is between 0 and {SETTLE_S_MAX} seconds.", field="settle_s")
    with transaction.atomic():
        row = locked_site(site)
        if comparison not in dict(MODES):
            raise Invalid("Choose what the comparison does.", field="comparison")
        _write(row, settle_s=settle_s, comparison=comparison)
        _record("changed", row, by, now, {"settle_s": settle_s, "comparison": comparison})
    return row


def renew_webhook_secret(*, site: TicketSite, by: User | None, now: datetime) -> str:
    """Make a secret for the webhook and return it, the only time it is shown. The one that Jira uses stays valid."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_site(site)
        if not row.signs_webhooks:
            raise WrongState(f"{row.server} does not sign webhooks, so Weighbridge accepts none from it.")
        secret = random.token_urlsafe(SECRET_BYTES)
        is_used = row.webhook_at is not None or row.webhook_secret_before is None
        used = row.webhook_secret if is_used else row.webhook_secret_before
        before = used if secrets.readable(used) else None  # one that cannot be decrypted is of no use
        _write(row, webhook_secret_before=before, webhook_secret=secrets.encrypt(secret), webhook_at=None)
        _record("webhook_secret_renewed", row, by, now, {})
    return secret


def drop_old_webhook_secret(*, site: TicketSite, by: User | None, now: datetime) -> TicketSite:
    """Accept deliveries with the new secret alone."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_site(site)
        if row.webhook_secret_before is None:
            raise WrongState("Only one secret is valid for the webhook.")
        _write(row, webhook_secret_before=None)
        _record("webhook_secret_dropped", row, by, now, {})
    return row


def activate_site(*, site: TicketSite, by: User | None, now: datetime) -> TicketSite:
    """Open tickets in the site from now on: those of its routes that wait, and new ones."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_site(site)
        if row.state == SiteState.ACTIVE:
            raise WrongState(f"{row.name} is active already.")
        if row.credential is None:
            raise WrongState("Store a credential that Jira accepts first.")
        if not row.routes.exists():
            raise WrongState("Add a route first: the project and the issue type in which tickets are opened.")
        if row.is_ok is None:
            raise WrongState("Test the connection first: the routes were changed since the last test.")
        if not row.is_ok:
            raise WrongState("The last test failed: correct what it found, and test the connection again.")
        _write(row, state=SiteState.ACTIVE)
        routed = effects.route_waiting(by=by, now=now)
        _record("activated", row, by, now, {"routed": routed})
    return row


def remove_site(*, site: TicketSite, cancels_waiting: bool = False, by: User | None, now: datetime) -> TicketSite:
    """Remove a site with its secrets and routes. Its tickets keep their keys.

    Refused while tickets and updates wait, unless these are canceled: a site that is gone for good takes none. Tickets
    that are not opened yet then take another route, or wait for one.
    """
    need_site_manager(by)
    with transaction.atomic():
        row = locked_site(site)
        if not cancels_waiting and (waiting := waiting_tickets(row)):
            raise WrongState(
                f"Tickets and updates that wait to be sent to this site: {waiting}. Correct the connection and wait "
                "until they are sent, or cancel them."
            )
        OAuthGrant.objects.filter(site=row).delete()
        canceled = effects.cancel_waiting(site=row, by=by, now=now)
        row.routes.all().delete()
        _write(row, state=SiteState.REMOVED, credential=None, webhook_secret=None, webhook_secret_before=None)
        _record("removed", row, by, now, {"canceled": canceled})
    # Not above: it locks tickets, which nobody may do who has the head of the audit trail. The tick does the rest.
    effects.route_waiting(by=by, now=now)
    return row


def _locked_for_credential(site: TicketSite, health: TrackerHealth) -> TicketSite:
    if not health.is_signed_in:
        raise Invalid(health.sentence, field="credential", code="refused_by_jira")
    row = locked_site(site)
    if (row.base_url, row.flavor) != (site.base_url, site.flavor):
        raise WrongState("The address of the site was changed meanwhile: enter the credential for the new one.")
    return row


def _sign_in(
    row: TicketSite,
    access: str,
    account: str,
    credential: str,
    *,
    health: TrackerHealth,
    by: User | None,
    now: datetime,
) -> None:
    is_first = row.credential is None
    _write(row, access=access, account=account, credential=secrets.encrypt(credential))
    effects.record_health(site=row, health=health, by=by, now=now)
    details = {"access": access, "account": account, "signed_in_as": health.account}
    _record("credential_stored" if is_first else "credential_replaced", row, by, now, details)
    row.refresh_from_db()


def _check_name(name: str, *, site: TicketSite | None) -> None:
    if not name or len(name) > NAME_CHARS_MAX or not is_storable(name):
        raise Invalid(f"Enter a name of at most {NAME_CHARS_MAX} characters.", field="name")
    others = TicketSite.objects.filter(name=name).exclude(state=SiteState.REMOVED)
    if others.exclude(pk=site.pk if site else 0).exists():
        raise _name_taken(name)


def _name_taken(name: str) -> Invalid:
    return Invalid(f"Another site has the name {name}: choose a different one.", field="name")


def _check_address(url: str) -> None:
    if problem := address_problem(url, allow_plain_http=settings.WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"]):
        raise Invalid(problem, field="base_url")
    if len(url) > ADDRESS_CHARS_MAX or not is_storable(url):
        raise Invalid("The address of the site is too long.", field="base_url")


def _told_by(server: TrackerServer) -> dict[str, Any]:
    return {
        "flavor": server.flavor,
        "version": server.version,
        "server": server.words,
        "signs_webhooks": server.signs_webhooks,
    }


def _write(row: TicketSite, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))


def _record(what: str, site: TicketSite, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    subject, reason = (effects.SITE, site.name), "" if by else ALONE
    audit.record(kind=f"ticket_site.{what}", by=by, subject=subject, details=details, reason=reason, now=now)
