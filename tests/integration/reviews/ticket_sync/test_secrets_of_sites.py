"""No secret leaves for an address that it was not meant for, and no secret that Jira uses is lost."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from governance import secrets
from governance.audit.models import AuditEvent
from reviews.ticket_sync.actions import sites
from reviews.ticket_sync.actions.accounts import link_account
from reviews.tickets.models import SiteState, TicketSite
from tests.factories import tickets as made
from tests.factories.snapshots import snapshot
from tests.integration.reviews.ticket_sync.audited import GOOD, SERVER
from weighbridge.core.errors import Invalid, WrongState

pytestmark = pytest.mark.django_db
ELSEWHERE = "https://evil.test"
GIVEN = {"access": "account", "account": "bot@example.org", "credential": "t-of-jira"}


def test_another_address_forgets_every_secret_and_every_account(now: datetime, author: User) -> None:
    site = made.make_site(now=now, webhook="w")
    link_account(site=site, user=author, account_id="JIRAUSER10100", by=None, now=now)
    elsewhere = made.make_site(now=now, name="Another")
    link_account(site=elsewhere, user=author, account_id="JIRAUSER10100", by=None, now=now)
    same = sites.change_site(site=site, name="Jira of Acme", url=site.base_url, server=SERVER, by=None, now=now)
    assert (same.state, same.credential, same.is_ok) == (SiteState.ACTIVE, site.credential, True)
    assert same.identities.count() == 1, "another name is no other site"
    sites.renew_webhook_secret(site=site, by=None, now=now)
    row = sites.change_site(site=site, name="Jira", url=ELSEWHERE, server=SERVER, by=None, now=now)
    row.refresh_from_db()
    assert (row.state, row.credential, row.account, row.webhook_secret, row.webhook_secret_before) == (
        *(SiteState.SETUP, None, "", None, None),
    )
    # At another address the same account may be another person's, whose moves would count as the author's.
    assert [identity.site for identity in author.external_identities.all()] == [elsewhere]
    assert AuditEvent.objects.filter(kind="ticket_site.changed").latest("position").details == {
        "address": ELSEWHERE,
        "server": "Jira Cloud",
        "name": "Jira",
        "unlinked": 1,
    }
    with pytest.raises(WrongState, match="Store a credential"):
        sites.activate_site(site=row, by=None, now=now)


def test_a_credential_that_was_tested_elsewhere_is_not_stored(now: datetime) -> None:
    tested = made.make_site(now=now)
    sites.change_site(site=tested, name="Jira", url=ELSEWHERE, server=SERVER, by=None, now=now)
    before = snapshot()
    as_tested = TicketSite(pk=tested.pk, base_url=made.URL, flavor="cloud")
    with pytest.raises(WrongState, match="was changed meanwhile"):
        sites.store_credential(site=as_tested, health=GOOD, by=None, now=now, **GIVEN)
    assert snapshot() == before


def deliver(site: TicketSite, secret: str) -> int:
    return answered(site, secret).status_code


def answered(site: TicketSite, secret: str) -> HttpResponse:
    body = json.dumps({"n": secret, "timestamp": None}).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    path, kind = f"/hooks/jira/{site.pk}/", "application/json"
    return Client().post(path, body, content_type=kind, headers={"X-Hub-Signature": signature})


def test_the_secret_that_jira_uses_survives_any_number_of_renewals(now: datetime) -> None:
    site = made.make_site(now=now, webhook="used", webhook_at=now)
    for minutes in range(3):
        newest = sites.renew_webhook_secret(site=site, by=None, now=now + timedelta(minutes=minutes))
    assert deliver(site, "used") == 204
    assert TicketSite.objects.get().webhook_at is None, "the old secret does not show that Jira knows the new one"
    assert deliver(site, newest) == 204
    site.refresh_from_db()
    assert site.webhook_at is not None
    last = sites.renew_webhook_secret(site=site, by=None, now=now)
    site.refresh_from_db()
    assert secrets.decrypt(site.webhook_secret_before or b"") == newest
    assert (deliver(site, newest), deliver(site, last), deliver(site, "used")) == (204, 204, 401)


LOST = b"of another key"


def test_a_secret_that_cannot_be_decrypted_signs_nothing_and_hides_no_other(now: datetime) -> None:
    site = made.make_site(now=now, webhook="new", webhook_secret_before=LOST)
    assert (deliver(site, "new"), deliver(site, ""), deliver(site, "other")) == (204, 401, 401)
    TicketSite.objects.update(webhook_secret=LOST, webhook_secret_before=secrets.encrypt("old"), webhook_at=None)
    assert (deliver(site, "old"), deliver(site, "")) == (204, 401)
    assert TicketSite.objects.get().webhook_at is None, "the old secret is not the present one"


@pytest.mark.parametrize("before", [None, LOST])
def test_without_a_secret_that_can_be_decrypted_the_delivery_is_asked_for_again(
    now: datetime, caplog: pytest.LogCaptureFixture, before: bytes | None
) -> None:
    site = made.make_site(now=now, webhook_secret=LOST, webhook_secret_before=before)
    unchanged = snapshot()
    answer = answered(site, "new")
    assert (answer.status_code, answer["Retry-After"], json.loads(answer.content)) == (
        *(503, "60", {"detail": "The delivery cannot be checked now; send it again."}),
    )
    assert snapshot() == unchanged
    assert f"No secret of the webhook of site {site.pk} can be decrypted" in caplog.text


@pytest.mark.parametrize("is_used", [True, False])
def test_a_renewal_keeps_no_secret_that_cannot_be_decrypted(now: datetime, is_used: bool) -> None:
    stored = {"webhook_secret": LOST, "webhook_secret_before": LOST, "webhook_at": now if is_used else None}
    site = made.make_site(now=now, **stored)
    newest = sites.renew_webhook_secret(site=site, by=None, now=now)
    site.refresh_from_db()
    assert site.webhook_secret_before is None
    assert deliver(site, newest) == 204


def test_an_address_that_is_too_long_is_refused_and_nothing_changes(now: datetime) -> None:
    site = made.make_site(now=now)
    long = f"https://jira.example/{'x' * sites.ADDRESS_CHARS_MAX}"
    with pytest.raises(Invalid, match="too long"):
        sites.change_site(site=site, name="Jira of Acme", url=long, server=SERVER, by=None, now=now)
    same = TicketSite.objects.get(pk=site.pk)
    assert (same.name, same.base_url, same.credential) == (site.name, site.base_url, site.credential)
