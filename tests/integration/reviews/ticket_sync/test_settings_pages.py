"""The pages on which an administrator sets up a site, from the address to the first ticket, over HTTP to a stand-in."""

from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from governance import secrets
from governance.audit.models import AuditEvent
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import sites as writes
from reviews.tickets.models import ExternalIdentity, SiteState, Ticket, TicketRoute, TicketSite
from tests.factories import tickets as sites
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.pages import html_of
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter

TOKEN = "standin-token"


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def account_of(jira: JiraCloud) -> dict[str, str]:
    return {} if isinstance(jira, JiraDataCenter) else {"account": jira.config.email}


def test_a_site_is_set_up_in_the_pages_alone(submitted: ReviewRequest, browser: Client, jira: JiraCloud) -> None:
    """The ticket that waited is routed at the last step."""
    assert "No ticket site" in html_of(browser.get("/settings/tickets/"))
    answer = browser.post("/settings/tickets/new/", {"name": "Ours", "base_url": f"{jira.url}/"}, follow=True)
    site = TicketSite.objects.get()
    assert answer.redirect_chain == [(f"/settings/tickets/{site.pk}/credential/", 302)]
    words = "Jira Data Center 10.3.1" if isinstance(jira, JiraDataCenter) else "Jira Cloud"
    assert (site.base_url, site.server, site.state) == (jira.url, words, "setup")
    assert f"{jira.url} is {words}." in html_of(answer)
    assert jira.requests("GET") == ["GET /rest/api/2/serverInfo 200"]

    answer = browser.post(answer.redirect_chain[0][0], {"credential": TOKEN} | account_of(jira), follow=True)
    assert answer.redirect_chain == [(f"/settings/tickets/{site.pk}/routes/new/", 302)]
    assert "Connected as Weighbridge." in html_of(answer)
    page = browser.post(answer.redirect_chain[0][0], {"project": "MR", "work": "review", "show": "1"})
    assert "Model Review" in html_of(page)
    assert TicketRoute.objects.count() == 0
    answer = browser.post(answer.redirect_chain[0][0], {"project": "MR", "issue_type": "Model Review"}, follow=True)
    route = TicketRoute.objects.get()
    assert answer.redirect_chain == [(f"/settings/tickets/routes/{route.pk}/fields/", 302)]

    given = {"cost_of_year": "customfield_10031", "reference": "customfield_10036", "decision": "customfield_10034"}
    answer = browser.post(answer.redirect_chain[0][0], given, follow=True)
    assert answer.redirect_chain == [(f"/settings/tickets/routes/{route.pk}/statuses/", 302)]
    answer = browser.post(answer.redirect_chain[0][0], {"status-in_review": "In Review", "move-4": "none"}, follow=True)
    route.refresh_from_db()
    assert route.field_map["cost_of_year"] == {"id": "customfield_10031", "kind": "number"}
    assert (route.statuses, route.moves) == ({"in_review": "In Review"}, {"Won't Do": "none"})

    answer = browser.post(f"/settings/tickets/{site.pk}/webhook/")
    site.refresh_from_db()
    secret = secrets.decrypt(site.webhook_secret)
    assert secret in html_of(answer)
    assert secret not in html_of(browser.get(f"/settings/tickets/{site.pk}/webhook/"))
    preview = html_of(browser.get(f"/settings/tickets/routes/{route.pk}/preview/"))
    assert submitted.ref in preview
    assert "customfield_10031" in preview
    assert Ticket.objects.get().site is None

    assert TicketSite.objects.get().is_ok is None, "the route was not tested yet"
    answer = browser.post(f"/settings/tickets/{site.pk}/activate/", follow=True)
    assert "Ours is active." in html_of(answer)
    assert TicketSite.objects.get().is_ok is True
    ticket, message = Ticket.objects.get(), OutboxMessage.objects.get(kind="ticket.open")
    assert (ticket.site, ticket.route, message.state) == (site, route, "queued")
    assert message.payload["system"] == site.pk
    assert not [line for line in jira.requests("POST") if "/issue" in line], "no ticket was opened by a page"
    kinds = set(AuditEvent.objects.filter(subject_type="ticket site").values_list("kind", flat=True))
    assert kinds >= {"ticket_site.added", "ticket_site.credential_stored", "ticket_site.activated"}
    assert kinds >= {"ticket_route.added", "ticket_route.fields_mapped", "ticket_route.statuses_mapped"}
    said = str(list(AuditEvent.objects.values("details", "reason")))
    assert TOKEN not in said
    assert secret not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("jira", "not a web address"),
        ("https://a:b@jira.test", "must be plain"),
        ("http://jira.test", "use https://"),
        ("http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_an_address_that_is_none_is_refused_and_kept(browser: Client, url: str, words: str) -> None:
    answer = browser.post("/settings/tickets/new/", {"name": "Ours", "base_url": url})
    assert answer.status_code == 400
    assert words in html_of(answer)
    assert f'value="{url}"' in html_of(answer)
    assert TicketSite.objects.count() == 0


@pytest.mark.parametrize("url", ["https://acme..atlassian.net", "https://.atlassian.net", f"https://{'a' * 64}.test"])
@pytest.mark.parametrize("is_production", [True, False])
def test_a_name_that_cannot_be_looked_up_is_refused_in_words(
    browser: Client, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, is_production: bool
) -> None:
    monkeypatch.setitem(settings.WEIGHBRIDGE, "ALLOWS_PLAIN_HTTP", not is_production)
    site = sites.make_site(now=now)
    before = snapshot()
    for path in ("new", f"{site.pk}/address"):
        answer = browser.post(f"/settings/tickets/{path}/", {"name": "Ours", "base_url": url})
        assert (answer.status_code, "not a web address" in html_of(answer)) == (400, True)
    with pytest.raises(CommandError, match="not a web address"):
        call_command("add_ticket_site", url, name="Other", token_file=tmp_path / "none", project="MR")
    assert snapshot() == before


def test_what_is_no_jira_is_told(browser: Client, jira: JiraCloud) -> None:
    given = {"name": "Ours", "base_url": jira.url}
    for fault, words in (
        ({"status": 200, "body": "<html>log in</html>"}, "no login page or proxy"),
        ({"status": 302, "headers": {"Location": "/login"}}, "it redirects"),
        ({"status": 200, "body": {"deploymentType": "Other"}}, "reports the type Other"),
        ({"status": 200, "body": {"deploymentType": "Server", "versionNumbers": [8, 20]}}, "from version 9"),
        ({"status": 200, "body": []}, "did not answer like Jira"),
    ):
        jira.order("GET .*/serverInfo", **fault)
        assert words in html_of(browser.post("/settings/tickets/new/", given))
    assert TicketSite.objects.count() == 0


def test_a_new_credential_is_tested_before_it_replaces_the_old_one(
    browser: Client, jira: JiraCloud, now: datetime
) -> None:
    site = sites.site_at(jira, now=now)
    where = f"/settings/tickets/{site.pk}/credential/"
    answer = browser.post(where, {"credential": "a-wrong-token"} | account_of(jira))
    assert answer.status_code == 400
    page = html_of(answer)
    assert "Jira does not accept" in page
    assert "a-wrong-token" not in page
    assert secrets.decrypt(TicketSite.objects.get().credential) == TOKEN
    jira.config.token = "renewed-token"
    assert browser.post(where, {"credential": "renewed-token"} | account_of(jira)).status_code == 302
    assert secrets.decrypt(TicketSite.objects.get().credential) == "renewed-token"
    assert AuditEvent.objects.filter(kind="ticket_site.credential_replaced").count() == 1
    assert "renewed-token" not in html_of(browser.get(where))


@pytest.mark.parametrize("credential", ["", "two\nlines", "ünicode", "x" * 5_000])
def test_what_is_no_token_is_sent_nowhere(browser: Client, jira: JiraCloud, now: datetime, credential: str) -> None:
    site = sites.site_at(jira, now=now)
    where = f"/settings/tickets/{site.pk}/credential/"
    assert browser.post(where, {"credential": credential} | account_of(jira)).status_code == 400
    assert jira.site.log == []


def test_a_site_that_cannot_be_asked_says_so_on_every_page(browser: Client, now: datetime) -> None:
    site = sites.make_site(now=now, url="http://127.0.0.1:9")
    route = sites.make_route(site)
    for path in (f"{site.pk}/routes/new/", f"routes/{route.pk}/", f"routes/{route.pk}/fields/"):
        page = html_of(browser.get(f"/settings/tickets/{path}"))
        assert "Jira could not be asked for its lists." in page
        assert "cannot be reached" in page
    assert "cannot be reached" in html_of(browser.post(f"/settings/tickets/routes/{route.pk}/statuses/", {}))


def test_a_version_without_signed_webhooks_has_no_secret(browser: Client, now: datetime) -> None:
    with JiraDataCenter(version="9.12.2") as jira:
        site = sites.site_at(jira, now=now)
    page = html_of(browser.get(f"/settings/tickets/{site.pk}/webhook/"))
    assert "does not sign its webhooks" in page
    page = html_of(browser.post(f"/settings/tickets/{site.pk}/webhook/"))
    assert "does not sign webhooks" in page
    assert TicketSite.objects.get().webhook_secret is None


def test_a_secret_is_rotated_without_losing_a_delivery(browser: Client, now: datetime) -> None:
    site = sites.make_routed_site(now=now, webhook="the first")
    browser.post(f"/settings/tickets/{site.pk}/webhook/")
    site.refresh_from_db()
    assert secrets.decrypt(site.webhook_secret_before) == "the first"
    assert "The previous secret is still accepted" in html_of(browser.get(f"/settings/tickets/{site.pk}/webhook/"))
    for words in ("The old secret is not valid.", "Only one secret is valid"):
        assert words in html_of(browser.post(f"/settings/tickets/{site.pk}/webhook/old/", follow=True))
    site.refresh_from_db()
    assert site.webhook_secret_before is None


def test_options_are_checked(browser: Client, now: datetime) -> None:
    site = sites.make_routed_site(now=now)
    where = f"/settings/tickets/{site.pk}/options/"
    assert browser.post(where, {"comparison": "push", "settle_s": "90"}).status_code == 302
    assert browser.post(where, {"comparison": "never mind", "settle_s": "90"}).status_code == 400
    assert browser.post(where, {"comparison": "pull", "settle_s": "9999"}).status_code == 400
    site.refresh_from_db()
    assert (site.comparison, site.settle_s) == ("push", 90)


def test_a_test_is_queued_and_its_answers_are_shown(browser: Client, now: datetime) -> None:
    site = sites.make_routed_site(now=now)
    answer = browser.post(f"/settings/tickets/{site.pk}/test/", follow=True)
    assert "The connection is being tested." in html_of(answer)
    assert 'hx-trigger="every 2s"' in html_of(answer)
    assert OutboxMessage.objects.get().payload == {"system": site.pk, "by": int(browser.session["_auth_user_id"])}
    steps = [{"name": "Account", "ok": False, "sentence": "Jira does not accept the stored token."}]
    TicketSite.objects.update(steps=steps, is_ok=False)
    OutboxMessage.objects.update(state="paused", error="Held back.")
    page = html_of(browser.get(f"/settings/tickets/{site.pk}/"))
    assert "Jira does not accept the stored token." in page
    for shown in (page, html_of(browser.get("/integrations/ticket-sites/"))):
        assert ("Held back." in shown, "every 2s" in shown, "Testing the connection" in shown) == (True, False, False)


def test_removal_is_refused_while_tickets_wait(submitted: ReviewRequest, browser: Client, now: datetime) -> None:
    site = sites.a_site(now)
    answer = browser.post(f"/settings/tickets/{site.pk}/remove/", follow=True)
    assert "wait to be sent to this site: 1." in html_of(answer)
    site.refresh_from_db()
    assert (site.state, site.routes.count(), site.credential is None) == ("active", 1, False)
    OutboxMessage.objects.update(state="done")
    Ticket.objects.update(state="linked", key="MR-1", remote_id="1")
    answer = browser.post(f"/settings/tickets/{site.pk}/remove/", follow=True)
    assert "Jira is removed." in html_of(answer)
    site.refresh_from_db()
    assert (site.state, site.routes.count(), site.credential) == ("removed", 0, None)
    assert Ticket.objects.get().site == site
    assert browser.get(f"/settings/tickets/{site.pk}/").status_code == 404
    assert sites.make_site(now=now).name == "Jira", "the name is free again"


def test_routes_are_changed_and_removed(browser: Client, jira: JiraCloud, now: datetime, team: Team) -> None:
    site = sites.site_at(jira, now=now)
    first = site.routes.get()
    where = f"/settings/tickets/{site.pk}/routes/new/"
    page = html_of(browser.post(where, {"project": "MR", "issue_type": "Task"}))
    assert "takes exactly these tickets already" in page
    assert "Choose the issue type" in html_of(browser.post(where, {"project": "MR", "work": "review"}))
    given = {"project": "MR", "issue_type": "Bug", "team": team.pk, "work": "action_item", "subject_kind": "file"}
    assert browser.post(where, given).status_code == 302
    second = TicketRoute.objects.exclude(pk=first.pk).get()
    assert (second.team, second.work, second.subject_kind, second.issue_type) == (team, "action_item", "file", "Bug")
    TicketRoute.objects.filter(pk=second.pk).update(field_map={"tier": {"id": "x", "kind": "string"}})
    assert browser.post(f"/settings/tickets/routes/{second.pk}/", given | {"issue_type": "Task"}).status_code == 302
    second.refresh_from_db()
    assert (second.issue_type, second.field_map) == ("Task", {})
    assert "selected>Task" in html_of(browser.get(f"/settings/tickets/routes/{second.pk}/"))
    assert "The route is removed." in html_of(
        browser.post(f"/settings/tickets/routes/{second.pk}/remove/", follow=True)
    )
    page = html_of(browser.post(f"/settings/tickets/routes/{first.pk}/remove/", follow=True))
    assert "An active site needs a route" in page
    assert site.routes.get() == first


def test_fixed_values_fill_what_a_project_requires(browser: Client, jira: JiraCloud, now: datetime) -> None:
    site = sites.site_at(jira, now=now)
    route = site.routes.get()
    jira.config.required += ["customfield_10020", "customfield_10032", "customfield_10035"]
    where = f"/settings/tickets/routes/{route.pk}/fields/"
    assert "Cost center, the same in every ticket" in html_of(browser.get(where))
    given = {
        "fixed-priority": "High",
        "fixed-components": "Review",
        "fixed-customfield_10020": "4711",
        "fixed-customfield_10032": "0",
        "fixed-customfield_10035": "2027-01-01",
    }
    twice = html_of(browser.post(where, given | {"gpu_hours": "customfield_10032"}))
    assert "customfield_10032 would be filled twice" in twice
    assert browser.post(where, given).status_code == 302
    route.refresh_from_db()
    assert route.fields.pop("priority") == {"name": "High"}
    assert route.fields.pop("components") == [{"name": "Review"}]
    assert route.fields == {"customfield_10020": "4711", "customfield_10032": 0.0, "customfield_10035": "2027-01-01"}
    assert "4711" in html_of(browser.get(where))


def test_a_list_is_sent_in_the_form_of_its_values(browser: Client, jira: JiraCloud, now: datetime) -> None:
    route = sites.site_at(jira, now=now).routes.get()
    jira.config.screen |= {"customfield_1": "Area", "customfield_2": "Marks", "customfield_3": "Lead"}
    jira.config.types |= {"customfield_1": "array", "customfield_2": "array", "customfield_3": "user"}
    jira.config.items |= {"customfield_1": "option", "customfield_2": "string"}
    jira.config.options["customfield_1"] = [{"value": "EU"}, {"value": "US"}]
    jira.config.required += ["customfield_1", "customfield_2", "customfield_3"]
    where = f"/settings/tickets/routes/{route.pk}/fields/"
    page = html_of(browser.get(where))
    assert "Weighbridge cannot fill Lead (customfield_3), a field of the type user" in page
    given = {"fixed-customfield_1": ["EU", "US"], "fixed-customfield_2": "a, b,", "fixed-customfield_3": "x"}
    assert browser.post(where, given).status_code == 302
    route.refresh_from_db()
    assert route.fields == {"customfield_1": [{"value": "EU"}, {"value": "US"}], "customfield_2": ["a", "b"]}
    page = html_of(browser.get(where))
    assert 'value="a, b"' in page
    assert page.count("selected>EU") == page.count("selected>US") == 1
    jira.config.required.remove("customfield_3")
    fields = jira.issues.about.problems(route.fields | {"summary": "s", "project": {"key": "MR"}})
    assert not {"customfield_1", "customfield_2"} & set(fields)


def test_an_address_with_tickets_is_kept(
    submitted: ReviewRequest, browser: Client, jira: JiraCloud, now: datetime
) -> None:
    site = sites.site_at(jira, now=now)
    where = f"/settings/tickets/{site.pk}/address/"
    assert browser.post(where, {"name": "Renamed", "base_url": jira.url}).status_code == 302
    Ticket.objects.update(site=site)
    with JiraCloud() as other:
        page = html_of(browser.post(where, {"name": "Renamed", "base_url": other.url}))
    assert "This site has tickets" in page
    site.refresh_from_db()
    assert (site.name, site.base_url) == ("Renamed", jira.url)


def test_a_site_without_a_route_or_credential_is_not_activated(browser: Client, now: datetime) -> None:
    site = sites.make_site(now=now, state=SiteState.SETUP, is_ok=False)
    where = f"/settings/tickets/{site.pk}/activate/"
    TicketSite.objects.update(credential=None)
    assert "Store a credential that Jira accepts first." in html_of(browser.post(where, follow=True))
    TicketSite.objects.update(is_ok=True, credential=site.credential)
    assert "Add a route first" in html_of(browser.post(where, follow=True))
    sites.make_route(site)
    assert "Jira is active." in html_of(browser.post(where, follow=True))
    assert "is active already" in html_of(browser.post(where, follow=True))


def test_without_a_request_there_is_nothing_to_preview(browser: Client, now: datetime) -> None:
    route = sites.make_route(sites.make_site(now=now))
    assert "No request to show" in html_of(browser.get(f"/settings/tickets/routes/{route.pk}/preview/"))
    of_items = sites.make_route(route.site, work="action_item")
    assert "No action item to show" in html_of(browser.get(f"/settings/tickets/routes/{of_items.pk}/preview/"))


def test_people_are_linked_to_the_accounts_that_jira_finds(
    browser: Client, jira: JiraCloud, cast: Cast, now: datetime
) -> None:
    User.objects.filter(pk=cast.author.pk).update(email="author@example.org")
    jira.config.people = {"JIRAUSER10100": {"name": "Ada L", "email": "author@example.org"}}
    site = sites.site_at(jira, now=now)
    where = f"/settings/tickets/{site.pk}/people/"
    assert "Link Ada L" not in html_of(browser.get(where))
    assert "Link Ada L" in html_of(browser.get(f"{where}?search=1"))
    page = browser.post(where, {"user": "author", "account_id": "JIRAUSER10100"}, follow=True)
    assert "author is linked to JIRAUSER10100." in html_of(page)
    assert ExternalIdentity.objects.get().user == cast.author
    assert "linked to author" in html_of(browser.post(where, {"user": "finance", "account_id": "JIRAUSER10100"}))
    assert "your own roles" in html_of(browser.post(where, {"user": "admin", "account_id": "x"}))
    page = browser.post(where, {"user": "author", "account_id": ""}, follow=True)
    assert "author is not linked." in html_of(page)
    assert ExternalIdentity.objects.count() == 0
    TicketSite.objects.update(base_url="http://127.0.0.1:9")
    assert "Jira could not be searched." in html_of(browser.get(f"{where}?search=1"))


def test_a_search_reaches_everybody_and_keeps_what_it_found(
    browser: Client, jira: JiraCloud, cast: Cast, now: datetime
) -> None:
    site = sites.site_at(jira, now=now)
    people = User.objects.bulk_create(User(username=f"p{n:02}", email=f"p{n:02}@example.org") for n in range(60))
    last = {"p00", "p30", "p59"}
    jira.config.people = {f"J{u.username}": {"name": f"The {u.username}", "email": u.email} for u in people}
    jira.config.people = {account: known for account, known in jira.config.people.items() if account[1:] in last}
    User.objects.exclude(pk__in=[user.pk for user in people]).update(email="")
    where = f"/settings/tickets/{site.pk}/people/"
    found, after = [], ""
    page = html_of(browser.get(f"{where}?search=1"))
    for after in ("p24", "p49"):
        found.append([name for name in sorted(last) if f"Link The {name}" in page])
        assert f'name="after" value="{after}"' in page
        assert "Search the next 25" in page
        page = html_of(browser.get(f"{where}?search=1&after={after}"))
    found.append([name for name in sorted(last) if f"Link The {name}" in page])
    assert found == [["p00"], ["p00", "p30"], ["p00", "p30", "p59"]]
    assert "Search the next 25" not in page
    searched = len(jira.requests("GET " + jira.root + "/user/search"))
    page = html_of(browser.post(where, {"user": "p00", "account_id": "Jp00"}, follow=True))
    assert [name for name in sorted(last) if f"Link The {name}" in page] == ["p30", "p59"]
    assert len(jira.requests("GET " + jira.root + "/user/search")) == searched == 60
    sites.replace_token(site, "t-refused")
    page = html_of(browser.get(f"{where}?search=1"))
    assert "Jira could not be searched." in page
    assert "Link The p30" in page, "a failed search forgets nothing"
    TicketSite.objects.update(base_url="https://another.test")
    assert "Link The" not in html_of(browser.get(where)), "accounts of another address are other people's"


PAGES = ("", "new/", "{site}/", "{site}/address/", "{site}/credential/", "{site}/webhook/", "{site}/routes/new/")
PAGES += ("{site}/people/",)
PAGES += tuple(f"routes/{{route}}/{page}" for page in ("", "fields/", "statuses/", "preview/"))
POSTS = ("new/", "{site}/address/", "{site}/credential/", "{site}/webhook/", "{site}/webhook/old/", "{site}/options/")
POSTS += (
    "{site}/people/",
    "{site}/test/",
    "{site}/activate/",
    "{site}/remove/",
    "{site}/routes/new/",
    "routes/{route}/",
)
POSTS += ("routes/{route}/fields/", "routes/{route}/statuses/", "routes/{route}/remove/")


@pytest.mark.parametrize("who", ["author", "reviewer_one", "approver", "finance", "steward", "auditor", "outsider"])
def test_only_administrators_see_and_change_sites(cast: Cast, now: datetime, who: str) -> None:
    site = sites.make_routed_site(now=now)
    names = {"site": site.pk, "route": site.routes.get().pk}
    client = Client()
    client.force_login(getattr(cast, who))
    stored, events = list(TicketSite.objects.values()), AuditEvent.objects.count()
    for page in PAGES:
        answer = client.get("/settings/tickets/" + page.format(**names))
        assert (page, answer.status_code) == (page, 403)
        assert "Only an administrator may set up ticket sites." in html_of(answer)
    for page in POSTS:
        assert (page, client.post("/settings/tickets/" + page.format(**names)).status_code) == (page, 403)
    assert list(TicketSite.objects.values()) == stored
    assert (AuditEvent.objects.count(), TicketRoute.objects.count()) == (events, 1)


def test_whoever_is_not_logged_in_is_asked_to(db: None) -> None:
    assert Client().get("/settings/tickets/").status_code == 302


def test_an_operator_is_recorded_as_alone(db: None, now: datetime) -> None:
    writes.renew_webhook_secret(site=sites.make_site(now=now), by=None, now=now)
    assert AuditEvent.objects.get().reason != ""


def test_an_inactive_administrator_may_nothing(admin: User, now: datetime) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)
    admin.refresh_from_db()
    from weighbridge.core.errors import NotAllowed

    with pytest.raises(NotAllowed):
        writes.remove_site(site=sites.make_site(now=now), by=admin, now=now)
