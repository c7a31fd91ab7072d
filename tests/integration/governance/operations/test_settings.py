"""The page of settings offers each person the pages that they may open, and no other."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from governance.accounts import queries
from governance.audit.queries.keys import public_key
from governance.jobs.models import OutboxMessage
from governance.jobs.outbox import enqueue
from governance.notifications.models import MAIL
from governance.secrets.domain import StoredSecrets
from tests.factories.notices import make_webhook
from tests.factories.people import Cast
from tests.integration.governance.accounts.test_second_factor import enrol
from tests.integration.reviews.requests.reading import enter, words
from weighbridge.core.attestation import key_id

pytestmark = pytest.mark.django_db


def links_of(user) -> dict[str, str]:
    groups = enter(user).get("/settings/").context["groups"]
    return {link.title: link.url for group in groups for link in group.links}


def test_every_page_that_is_offered_opens(cast: Cast) -> None:
    for person in cast.everybody():
        client = enter(person)
        for title, url in links_of(person).items():
            page = client.get(url, follow=True)
            assert page.status_code == 200, f"{title} for {person}"
            assert "permission to view or edit" not in words(page), f"{title} for {person}"


def test_connections_are_for_those_who_keep_them(cast: Cast) -> None:
    assert links_of(cast.admin)["Jira"] == "/settings/tickets/"
    for person in (cast.author, cast.auditor, cast.finance, cast.outsider):
        assert "Jira" not in links_of(person)
    assert "Audit trail" in links_of(cast.auditor)
    assert "Audit trail" not in links_of(cast.outsider)
    assert list(links_of(cast.outsider))[:4] == ["Notification settings", "Absences", "Saved views", "Password"]


def test_the_tables_are_for_accounts_that_may_open_some(cast: Cast) -> None:
    assert "Tables" not in links_of(cast.admin)
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True)
    cast.admin.refresh_from_db()
    assert "Tables" not in links_of(cast.admin)
    User.objects.filter(pk=cast.admin.pk).update(is_superuser=True)
    cast.admin.refresh_from_db()
    assert links_of(cast.admin)["Tables"] == "/admin/"
    assert "permission to view or edit" not in words(enter(cast.admin).get("/admin/"))


def test_health_is_said_in_words(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    assert links_of(cast.admin)["Health and mail"] == "/settings/health/"
    assert "Health and mail" not in links_of(cast.author)
    assert enter(cast.author).get("/settings/health/").status_code == 403
    away = ("broker", lambda: False, "delayed", "The broker does not respond.")
    monkeypatch.setattr("governance.operations.web.health.CHECKS", (away, ("clock", lambda: True, "delayed", "x")))
    page = words(enter(cast.admin).get("/settings/health/"))
    assert "Broker Delayed The broker does not respond." in page
    assert "Clock Works" in page
    assert "None was sent yet." in page
    assert "Not sent" not in page
    mail = enqueue(kind=MAIL, key="a", lane="a", payload={}, now=now)
    OutboxMessage.objects.filter(pk=mail.pk).update(error="The mail server does not take the mail.")
    page = words(enter(cast.admin).get("/settings/health/"))
    assert "Not sent The mail server does not take the mail." in page
    OutboxMessage.objects.filter(pk=mail.pk).update(state="done", finished_at=now, error="")
    page = words(enter(cast.admin).get("/settings/health/"))
    assert "None was sent yet." not in page
    assert "Not sent" not in page


def test_the_page_of_keys_says_what_needs_a_former_key(cast: Cast, now: datetime, settings: Settings) -> None:
    assert links_of(cast.admin)["Keys"] == "/settings/keys/"
    assert "Keys" not in links_of(cast.author)
    assert enter(cast.author).get("/settings/keys/").status_code == 403
    make_webhook(cast=cast, now=now)
    page = enter(cast.admin).get("/settings/keys/")
    assert page.context["key_id"] == key_id(public_key())
    assert page.context["stored"]["Addresses and secrets of webhooks"] == StoredSecrets(2, 0, 0)
    assert set(page.context["stored"]) == {
        "Addresses and secrets of webhooks",
        "Credentials of ticket sites",
        "Second factors",
    }
    assert "No former key is accepted." in words(page)
    client, old = enter(cast.admin), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key of many characters", [old]
    page = client.get("/settings/keys/")
    assert page.context["stored"]["Addresses and secrets of webhooks"] == StoredSecrets(0, 2, 0)
    assert "2 stored secrets need one of them: store them again before you remove it." in words(page)
    settings.SECRET_KEY_FALLBACKS = ["another key of many characters"]
    page = enter(cast.admin).get("/settings/keys/")
    assert page.context["stored"]["Addresses and secrets of webhooks"] == StoredSecrets(0, 0, 2)
    assert "2 cannot be decrypted with any key" in words(page)


def test_people_are_listed_with_roles_and_factors(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert links_of(cast.admin)["People"] == "/settings/people/"
    for person in (cast.author, cast.approver, cast.auditor):
        assert "People" not in links_of(person)
        assert enter(person).get("/settings/people/").status_code == 403
    User.objects.filter(pk=cast.outsider.pk).update(is_active=False)
    client = enter(cast.admin)
    page = client.get("/settings/people/")
    accounts = list(page.context["page"])
    assert [row.username for row in accounts][-1] == "outsider"
    assert [row.is_active for row in accounts].count(False) == 1
    assert not any(row.has_factor for row in accounts)
    assert "Requester of Search" in words(page)
    assert "/admin/" not in page.content.decode()
    enrol(cast.approver)
    (found,) = client.get("/settings/people/", {"q": cast.approver.username.upper()}).context["page"]
    assert (found.pk, found.has_factor) == (cast.approver.pk, True)
    assert "No account has such a name" in words(client.get("/settings/people/?q=nobody-like-this"))
    with django_assert_num_queries(2):
        assert [row.role_grants.all()[0].role for row in list(queries.accounts())]
    User.objects.filter(pk=cast.admin.pk).update(is_staff=True, is_superuser=True)
    assert f"/admin/auth/user/{cast.author.pk}/change/" in client.get("/settings/people/").content.decode()


def test_the_menu_leads_to_the_settings(cast: Cast) -> None:
    assert '<a href="/settings/">Settings</a>' in enter(cast.author).get("/").content.decode()
