"""Whoever links an account to a person acts in that name: it takes the second factor, and the person is told."""

from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from governance.audit.models import AuditEvent
from governance.notifications.models import Notification
from governance.people.queries.people import name_of
from reviews.ticket_sync.actions import accounts
from reviews.ticket_sync.actions.accounts import link_account
from reviews.ticket_sync.actions.sites import change_site
from reviews.tickets.models import ExternalIdentity
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.governance.accounts.test_second_factor import code, enrol, forget_used_codes, log_in, required
from tests.integration.reviews.ticket_sync.audited import SERVER
from tests.late_locks import late_locks
from tests.pages import html_of
from tests.standstill import refused
from tests.threads import in_the_middle
from weighbridge.core.errors import Invalid, NotAllowed

__all__ = ["required"]


def told() -> list[tuple[str, str, str, str, str]]:
    rows = Notification.objects.order_by("pk")
    return list(rows.values_list("person__username", "kind", "pace", "path", "sentence"))


def test_the_person_is_told_at_once_of_each_change(cast: Cast, now: datetime, with_mail: None) -> None:
    site = sites.make_site(now=now)
    for number, (account, by) in enumerate([("a1", cast.admin), (" a1 ", cast.admin), ("a2", None), ("", cast.admin)]):
        link_account(site=site, user=cast.approver, account_id=account, by=by, now=now + timedelta(seconds=number))
    lead, admin = cast.approver.username, name_of(cast.admin)
    warning = "Whoever moves a ticket with it acts in your name. If the account is not yours, tell an administrator"
    assert told() == [
        (lead, "account", "at_once", "/settings/", f"{admin} linked the account a1 on Jira to you. {warning} at once."),
        (
            lead,
            "account",
            "at_once",
            "/settings/",
            f"An operator of the server linked the account a2 on Jira to you. {warning} at once.",
        ),
        (lead, "account", "at_once", "/settings/", f"{admin} removed the link of the account a2 on Jira to you."),
    ]
    assert AuditEvent.objects.filter(kind="person.identified").count() == 4


def test_of_what_is_refused_nobody_is_told(cast: Cast, now: datetime) -> None:
    site = sites.make_site(now=now)
    link_account(site=site, user=cast.author, account_id="a", by=None, now=now)
    link_account(site=site, user=cast.finance, account_id="", by=None, now=now)
    for account_id in ("a", "x" * 129):
        with refused(Invalid, field="account_id"):
            link_account(site=site, user=cast.approver, account_id=account_id, by=cast.admin, now=now)
    assert [row[0] for row in told()] == ["author"]


def test_whoever_loses_the_link_because_the_site_moves_is_told(cast: Cast, now: datetime) -> None:
    site = sites.make_linked_site(cast.author, cast.finance, cast.admin, now=now)
    elsewhere = sites.make_linked_site(cast.author, now=now, name="Another")
    given = {"name": "Jira 2", "server": SERVER, "by": cast.admin, "now": now}
    with late_locks() as late:
        change_site(site=site, url="https://moved.test", **given)
    assert late == []
    assert ExternalIdentity.objects.get().site == elsewhere
    removed = f"{name_of(cast.admin)} removed the link of the account {{}} on Jira 2 to you."
    assert [(who, *rest[-1:]) for who, *rest in told()] == [(who, removed.format(who)) for who in ("author", "finance")]
    events = AuditEvent.objects.filter(kind="person.identified").order_by("position")
    assert [(event.subject, event.details, event.actor) for event in events] == [
        (who, {"account_id": "", "site": "Jira 2"}, name_of(cast.admin)) for who in ("author", "finance", "admin")
    ]
    assert AuditEvent.objects.get(kind="ticket_site.changed").details["unlinked"] == 3
    with refused(NotAllowed):
        accounts.unlink_all(site=elsewhere, by=cast.author, now=now)


def test_the_link_of_a_closed_account_is_shown_and_removed(cast: Cast, client, now: datetime) -> None:
    site = sites.make_linked_site(cast.author, now=now)
    client.force_login(cast.admin)
    where = f"/settings/tickets/{site.pk}/people/"
    assert "is closed" not in html_of(client.get(where))
    for person in (cast.author, cast.outsider):
        person.is_active = False
        person.save()
    page = html_of(client.get(where))
    assert page.count("The account of this person is closed.") == page.count("Remove the link") == 1
    assert f'id="account-{cast.author.pk}"' not in page
    assert 'value="outsider"' not in page
    before = snapshot()
    for user, account_id, words in (
        ("author", "another", "author is closed"),
        ("author", "author", "author is closed"),
        ("outsider", "", "not one of the available choices"),
        ("finance", "author", "linked to author; remove that link first"),
    ):
        answer = client.post(where, {"user": user, "account_id": account_id})
        assert (answer.status_code, words in html_of(answer)) == (400, True), user
    assert snapshot() == before
    assert client.post(where, {"user": "author", "account_id": ""}).status_code == 302
    assert client.post(where, {"user": "finance", "account_id": "author"}).status_code == 302
    assert ExternalIdentity.objects.get().user == cast.finance
    assert "is closed" not in html_of(client.get(where))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_are_linked_to_one_account_at_once_one_is_refused(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = partial(link_account, site=sites.make_site(now=now), account_id="a", by=cast.admin, now=now)
    first, second = (partial(link, user=user) for user in (cast.author, cast.finance))
    row, error = in_the_middle(monkeypatch, (accounts, "_notify_user"), first, second)
    assert row == ExternalIdentity.objects.get()
    assert isinstance(error, Invalid)
    assert "linked to author" in error.reason
    assert [who for who, *_ in told()] == ["author"]


@pytest.mark.parametrize("person", ["approver", "author"])
def test_everybody_may_open_the_page_that_the_message_names(cast: Cast, client, person: str) -> None:
    client.force_login(getattr(cast, person))
    assert client.get("/settings/").status_code == 200


def test_a_stale_session_links_only_after_the_factor(
    required: None, cast: Cast, now: datetime, settings: Settings
) -> None:
    site = sites.make_site(now=now)
    enrol(cast.admin)
    browser, url = log_in(cast.admin), f"/settings/tickets/{site.pk}/people/"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    given, before = {"user": "approver", "account_id": "mine"}, snapshot()
    assert browser.get(url).status_code == 200
    asked = browser.post(url, given)
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    assert snapshot() == before
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    forget_used_codes()
    assert browser.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": url}).status_code == 302
    assert ExternalIdentity.objects.get().account_id == "mine"
    assert [row[0] for row in told()] == ["approver"]
