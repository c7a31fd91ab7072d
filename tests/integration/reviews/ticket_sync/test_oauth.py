"""Access to a site of Jira Cloud by OAuth: connected in the pages, renewed by one worker, taken back at Atlassian."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from config.log_lines import JsonLine
from governance import secrets
from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Role
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import sites as writes
from reviews.ticket_sync.queries.connections import settings_of
from reviews.ticket_sync.tasks import health_of
from reviews.ticket_sync.web import oauth
from reviews.tickets import actions as effects
from reviews.tickets.domain.atlassian import SCOPES
from reviews.tickets.jira.atlassian import UNANSWERED
from reviews.tickets.jira.settings import CONNECT_AGAIN
from reviews.tickets.models import Access, OAuthGrant, Ticket, TicketSite
from tests.factories import tickets as sites
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.integration.reviews.ticket_sync.audited import SERVER
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver
from tests.pages import html_of
from tests.standins.jira.oauth import CLOUD_ID, LIFETIME_S, REUSE_S
from tests.standins.jira_cloud import JiraCloud
from weighbridge.core.masking import mask

REFRESHES = "POST /oauth/token 200"
APP = {"client_id": "standin-app", "client_secret": "standin-app-secret"}


@pytest.fixture
def cloud(db: None) -> Iterator[JiraCloud]:
    with JiraCloud(clock=lambda: timezone.now().timestamp()) as there:
        yield there


@pytest.fixture
def site(cloud: JiraCloud, now: datetime) -> TicketSite:
    return sites.site_at(cloud, now=now)


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def page_of(site: TicketSite) -> str:
    return f"/settings/tickets/{site.pk}/oauth/"


def begun(browser: Client, site: TicketSite, **changes: str) -> dict[str, str]:
    """What the page of consent is asked."""
    answer = browser.post(page_of(site), APP | changes)
    assert answer.status_code == 302
    where = urlsplit(answer["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{site.base_url}/authorize"
    return {name: value[0] for name, value in parse_qs(where.query).items()}


def consented(cloud: JiraCloud, asked: dict[str, str]) -> dict[str, str]:
    """What comes back to the callback address."""
    _, where = cloud.accounts.consent({name: [value] for name, value in asked.items()})
    return {name: value[0] for name, value in parse_qs(urlsplit(where).query).items()}


def called_back(browser: Client, site: TicketSite, query: dict[str, str]) -> Any:
    return browser.get(f"{page_of(site)}callback/", query, follow=True)


def stored() -> tuple[str, str]:
    grant = OAuthGrant.objects.get()
    return secrets.decrypt(grant.access_token), secrets.decrypt(grant.refresh_token)


def test_a_site_is_connected_in_the_pages(browser: Client, cloud: JiraCloud, site: TicketSite) -> None:
    shown = html_of(browser.get(page_of(site)))
    assert "Connect with Atlassian" in shown
    assert f"https://weighbridge.test{page_of(site)}callback/" in shown
    assert 'aria-current="page"' in shown
    asked = begun(browser, site)
    state = asked.pop("state")
    assert asked == {
        "audience": "api.atlassian.com",
        "client_id": "standin-app",
        "scope": " ".join(SCOPES),
        "redirect_uri": f"https://weighbridge.test{page_of(site)}callback/",
        "response_type": "code",
        "prompt": "consent",
    }
    answer = called_back(browser, site, consented(cloud, asked | {"state": state}))
    assert answer.redirect_chain == [(f"/settings/tickets/{site.pk}/", 302)]
    assert "Connected as Weighbridge: tickets open in Model Reviews (MR) as Task." in html_of(answer)
    site.refresh_from_db()
    assert (site.access, site.account, secrets.decrypt(site.credential)) == (Access.OAUTH, "", "standin-app-secret")
    grant = OAuthGrant.objects.get()
    assert (grant.site, grant.client_id, grant.cloud_id) == (site, "standin-app", CLOUD_ID)
    assert stored() == tuple(cloud.accounts.given)
    event = AuditEvent.objects.get(kind="ticket_site.credential_replaced")
    assert event.details == {"access": "oauth", "account": "", "signed_in_as": "Weighbridge"}
    assert "Connect again" in html_of(browser.get(page_of(site)))


def test_a_policy_of_content_lets_the_form_lead_to_atlassian(browser: Client, now: datetime) -> None:
    site = sites.make_site(now=now)
    answer = browser.get(page_of(site))
    assert "form-action 'self' https://auth.atlassian.com;" in answer["Content-Security-Policy"] + ";"
    assert browser.post(page_of(site), APP)["Location"].startswith("https://auth.atlassian.com/authorize?audience=")
    assert "atlassian" not in browser.get(f"/settings/tickets/{site.pk}/")["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["forged", "none", "replayed", "late", "of another site", "of another administrator"])
def test_an_answer_that_belongs_to_nothing_moves_nothing(
    browser: Client, cloud: JiraCloud, site: TicketSite, now: datetime, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = consented(cloud, begun(browser, site))
    target, who = site, browser
    if kind == "forged":
        query["state"] = "x" * 43
    elif kind == "none":
        del query["state"]
    elif kind == "replayed":
        called_back(browser, site, query)
    elif kind == "late":
        late = timezone.now() + timedelta(minutes=10, seconds=1)
        monkeypatch.setattr(oauth.timezone, "now", lambda: late)
    elif kind == "of another site":
        target = sites.make_site(now=now, name="Other", url=cloud.url)
    else:
        who = Client()
        who.force_login(make_person("second-admin", Role.ADMIN, now=now))
    before, asked = snapshot(), list(cloud.site.log)
    page = html_of(called_back(who, target, query))
    assert ("came too late" if kind == "late" else "belongs to no connection that you began here") in page
    assert snapshot() == before
    assert cloud.site.log == asked


def test_a_person_who_refuses_at_atlassian_changes_nothing(browser: Client, cloud: JiraCloud, site: TicketSite) -> None:
    state = begun(browser, site)["state"]
    before = snapshot()
    page = html_of(called_back(browser, site, {"error": "access_denied", "state": state}))
    assert "Atlassian gave no access, because it was not accepted there" in page
    assert snapshot() == before


@pytest.mark.parametrize(
    ("opened", "words"),
    [
        ({"a-1": "https://other.test", "b-2": "https://more.test"}, "https://other.test, https://more.test"),
        ({"a-1": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({}, "no site of Jira"),
    ],
    ids=["others", "similar", "none"],
)
def test_an_account_without_access_to_the_site_is_refused(
    browser: Client, cloud: JiraCloud, site: TicketSite, opened: dict[str, str], words: str
) -> None:
    cloud.config.cloud_sites = opened
    query = consented(cloud, begun(browser, site))
    before = snapshot()
    page = html_of(called_back(browser, site, query))
    assert f"The account gave access to {words}, but not to {cloud.url}" in page
    assert snapshot() == before


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"match": "POST /oauth/token", "status": 403, "body": {"error": "invalid_grant"}}, "did not accept the app"),
        ({"match": "POST /oauth/token", "status": 500}, "could not be asked for access"),
        ({"match": "POST /oauth/token", "status": 302, "headers": {"Location": "/x"}}, "could not be asked"),
        ({"match": "POST /oauth/token", "status": 200, "body": ["no"]}, "could not be asked"),
        ({"match": "POST /oauth/token", "status": 200, "body": "<html>"}, "could not be asked"),
        (
            {
                "match": "POST /oauth/token",
                "status": 200,
                "body": {"access_token": "ü", "refresh_token": "r", "expires_in": 1},
            },
            "could not be asked",
        ),
        ({"match": "GET /oauth/token/acc", "drop_before_commit": True}, "could not be asked"),
        ({"match": "GET /oauth/token/acc", "status": 200, "body": {"a": 1}}, "could not be asked"),
        ({"match": "GET /ex/jira/.*/myself", "status": 403}, "may not answer in Jira"),
    ],
    ids=["refused", "500", "redirect", "list", "page", "no token", "dropped", "no list", "no user"],
)
def test_a_failing_connection_leaves_the_stored_credential(
    browser: Client, cloud: JiraCloud, site: TicketSite, fault: dict[str, Any], words: str
) -> None:
    query = consented(cloud, begun(browser, site))
    before = snapshot()
    cloud.order(**fault)
    assert words in html_of(called_back(browser, site, query))
    assert snapshot() == before


def test_consent_counts_while_a_route_is_broken(browser: Client, cloud: JiraCloud, site: TicketSite) -> None:
    sites.make_route(site, work="review", issue_type="Epic")
    page = html_of(called_back(browser, site, consented(cloud, begun(browser, site))))
    assert "The credential is stored. One of the routes does not work yet: Project MR has no issue type Epic" in page
    site.refresh_from_db()
    assert (site.access, site.is_ok, site.steps[-1]["name"]) == (Access.OAUTH, False, "Issue type")
    assert stored() == tuple(cloud.accounts.given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"client_secret": ""}, "This field is required"),
        ({"client_id": "ü"}, "Enter it as developer.atlassian.com shows it"),
        ({"client_id": "x" * 101}, "at most 100 characters"),
        ({"client_secret": "a\tb"}, "Enter it as developer.atlassian.com shows it"),
    ],
)
def test_what_is_no_app_begins_nothing(
    browser: Client, site: TicketSite, cloud: JiraCloud, given: dict[str, str], words: str
) -> None:
    answer = browser.post(page_of(site), APP | given)
    assert (answer.status_code, words in html_of(answer)) == (400, True)
    assert (oauth.CONSENT in browser.session, cloud.site.log) == (False, [])


def test_connecting_again_needs_no_secret_for_the_same_app(
    browser: Client, cloud: JiraCloud, site: TicketSite, now: datetime
) -> None:
    sites.connect(site, cloud, now=timezone.now())
    page = html_of(browser.post(page_of(site), {"client_id": "another"}))
    assert "The stored secret is that of another app" in page
    before = stored()
    called_back(browser, site, consented(cloud, begun(browser, site, client_secret="")))
    assert OAuthGrant.objects.count() == 1
    assert stored() != before


def test_data_center_knows_no_oauth(browser: Client, now: datetime) -> None:
    site = sites.make_site(now=now, flavor="data_center", access="token", account="")
    assert [browser.get(f"{page_of(site)}{part}").status_code for part in ("", "callback/")] == [404, 404]
    assert "OAuth" not in html_of(browser.get(f"/settings/tickets/{site.pk}/credential/"))


def test_a_token_replaces_oauth_and_removal_erases_it(
    browser: Client, cloud: JiraCloud, site: TicketSite, now: datetime
) -> None:
    sites.connect(site, cloud, now=timezone.now())
    given = {"account": cloud.config.email, "credential": cloud.config.token}
    assert browser.post(f"/settings/tickets/{site.pk}/credential/", given).status_code == 302
    site.refresh_from_db()
    assert (site.access, OAuthGrant.objects.count()) == (Access.ACCOUNT, 0)
    sites.connect(site, cloud, now=timezone.now())
    stale = TicketSite.objects.get()
    writes.remove_site(site=site, by=None, now=now)
    assert OAuthGrant.objects.count() == 0
    assert health_of(stale).sentence == CONNECT_AGAIN


def test_another_address_erases_the_grant(cloud: JiraCloud, site: TicketSite, now: datetime) -> None:
    sites.connect(site, cloud, now=timezone.now())
    writes.change_site(site=site, name="Jira", url=site.base_url, server=SERVER, by=None, now=now)
    assert OAuthGrant.objects.count() == 1
    writes.change_site(site=site, name="Jira", url="https://elsewhere.test", server=SERVER, by=None, now=now)
    assert OAuthGrant.objects.count() == 0


def test_an_expired_token_is_renewed_before_it_is_used(cloud: JiraCloud, site: TicketSite, now: datetime) -> None:
    sites.connect(site, cloud, now=timezone.now())
    before = stored()
    assert health_of(site).ok
    assert (stored(), len(cloud.requests(REFRESHES))) == (before, 0)
    OAuthGrant.objects.update(expires_at=timezone.now() + timedelta(seconds=59))
    assert health_of(site).ok
    assert (stored(), len(cloud.requests(REFRESHES))) == (tuple(cloud.accounts.given[2:]), 1)
    left = (OAuthGrant.objects.get().expires_at - timezone.now()).total_seconds()
    assert LIFETIME_S - 60 < left <= LIFETIME_S
    assert not [line for line in cloud.site.log if line.endswith("401")]
    assert AuditEvent.objects.filter(kind="ticket_site.access_renewed").count() == 1


def test_a_refused_token_is_renewed_once_and_the_write_is_done_once(
    submitted: ReviewRequest, cloud: JiraCloud, site: TicketSite, clock: Clock
) -> None:
    sites.connect(site, cloud, now=timezone.now())
    effects.route_waiting(now=clock.now())
    cloud.order("POST /ex/jira/.*/issue$", status=401, body={"code": 401})
    deliver(clock)
    assert [issue["key"] for issue in cloud.issues.issues] == ["MR-1"]
    assert len(cloud.requests(REFRESHES)) == 1
    assert Ticket.objects.get().url == f"{cloud.url}/browse/MR-1"
    assert cloud.requests("POST /rest/") == cloud.requests("GET /rest/") == []


def test_a_lost_answer_of_a_renewal_is_asked_for_again(
    cloud: JiraCloud, site: TicketSite, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.connect(site, cloud, now=timezone.now())
    cloud.accounts.end_access()
    before = stored()
    cloud.order("POST /oauth/token", drop_after_commit=True)
    assert health_of(site).sentence == UNANSWERED
    assert stored() == before
    assert health_of(site).ok
    assert stored() != before
    lost = stored()
    cloud.accounts.end_access()
    cloud.order("POST /oauth/token", drop_after_commit=True)
    assert health_of(site).sentence == UNANSWERED
    real = cloud.accounts._clock
    monkeypatch.setattr(cloud.accounts, "_clock", lambda: real() + REUSE_S + 1)
    assert health_of(site).sentence == CONNECT_AGAIN
    assert stored() == lost


def test_consent_that_was_taken_back_pauses_the_messages_and_a_connection_resumes_them(
    submitted: ReviewRequest, cast: Cast, browser: Client, cloud: JiraCloud, site: TicketSite, clock: Clock
) -> None:
    sites.connect(site, cloud, now=timezone.now())
    effects.route_waiting(now=clock.now())
    cloud.accounts.revoke()
    (message,) = [row for row in deliver(clock) if row.kind == "ticket.open"]
    assert (message.state, message.error, message.payload["reach"]) == ("paused", CONNECT_AGAIN, "channel")
    assert cloud.issues.issues == []
    effects.request_test(site=site, occasion="x", by=cast.admin, now=clock.now())
    deliver(clock)
    site.refresh_from_db()
    assert (site.is_ok, site.steps[-1]["sentence"]) == (False, CONNECT_AGAIN)
    assert "press Connect again" in html_of(browser.get(f"/settings/tickets/{site.pk}/"))
    called_back(browser, site, consented(cloud, begun(browser, site, client_secret="")))
    assert OutboxMessage.objects.get(kind="ticket.open").state == "queued"
    clock.at = timezone.now()
    deliver(clock, after_s=60)
    assert [issue["key"] for issue in cloud.issues.issues] == ["MR-1"]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_renew_once(now: datetime) -> None:
    with JiraCloud(clock=lambda: timezone.now().timestamp()) as cloud:
        site = sites.site_at(cloud, now=now)
        sites.connect(site, cloud, now=timezone.now())
        cloud.accounts.end_access()
        cloud.order("POST /oauth/token", delay_s=0.3)
        line = Barrier(4)

        def work(_: int) -> bool:
            try:
                line.wait()
                return health_of(TicketSite.objects.get(pk=site.pk)).ok
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [True] * 4
        assert len(cloud.requests("POST /oauth/token")) == 1
        assert stored() == tuple(cloud.accounts.given[2:])


def test_no_secret_is_shown_logged_or_audited(
    browser: Client, cloud: JiraCloud, site: TicketSite, caplog: pytest.LogCaptureFixture
) -> None:
    query = consented(cloud, begun(browser, site))
    consent = browser.session[oauth.CONSENT]
    assert "standin-app-secret" not in str(consent)
    called_back(browser, site, query)
    cloud.accounts.end_access()
    assert health_of(TicketSite.objects.get()).ok
    known = [*cloud.accounts.given, query["code"], query["state"], "standin-app-secret"]
    assert len(cloud.accounts.given) == 4
    paths = ("", "oauth/", "credential/", "webhook/")
    said = "".join(html_of(browser.get(f"/settings/tickets/{site.pk}/{path}")) for path in paths)
    said += str(list(AuditEvent.objects.values())) + str(list(TicketSite.objects.values()))
    said += str(list(OAuthGrant.objects.values())) + repr(settings_of(TicketSite.objects.get()))
    said += "".join(JsonLine().format(record) for record in caplog.records)
    assert [secret for secret in known if secret in said] == []
    assert [mask(f"said {secret}!") for secret in known] == ["said [hidden]!"] * len(known)
