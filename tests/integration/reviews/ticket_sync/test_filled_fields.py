"""What fields of a ticket hold, and what the preview of a route shows, over HTTP to a stand-in."""

from datetime import datetime

import pytest
from django.test import Client

from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.queries.drafts import draft_for
from reviews.ticket_sync.tasks import health_of, tracker
from reviews.tickets import actions as effects
from reviews.tickets.domain.field_values import FIELD_VALUES
from reviews.tickets.jira.flavors.adf import prose
from reviews.tickets.models import SiteState, TicketRoute, TicketSite
from tests.factories import tickets as sites
from tests.factories.cycles import make_action
from tests.factories.people import Cast
from tests.pages import html_of
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def test_a_paragraph_is_entered_shown_and_sent_as_one(
    submitted: ReviewRequest, browser: Client, jira: JiraCloud, now: datetime
) -> None:
    is_cloud = not isinstance(jira, JiraDataCenter)
    route = sites.site_at(jira, now=now).routes.get()
    jira.config.screen |= {"environment": "Environment", "customfield_10037": "Notes"}
    jira.config.paragraphs.append("customfield_10037")
    jira.config.required += ["environment", "customfield_10037"]
    TicketRoute.objects.update(work="review")
    where = f"/settings/tickets/routes/{route.pk}/fields/"
    entered = "Line one\nline two" if is_cloud else "Line one line two"
    given = {"fixed-environment": entered, "tier": "customfield_10037"}
    assert browser.post(where, given).status_code == 302
    assert " ".join(entered.split()) in html_of(browser.get(where))
    shown = html_of(browser.get(f"/settings/tickets/routes/{route.pk}/preview/"))
    assert " ".join(entered.split()) in shown.partition("What Jira would receive")[0]
    assert health_of(TicketSite.objects.get()).ok
    effects.route_waiting(now=now)
    with tracker(route.site, TicketRoute.objects.get()) as adapter:
        adapter.open(draft_for(submitted.ticket).with_values({"tier": "T2"}))
    (issue,) = jira.issues.issues
    texts = [issue["fields"][name] for name in ("environment", "customfield_10037")]
    assert [prose(text).strip() if is_cloud else text for text in texts] == [entered, "T2"]


def test_the_preview_shows_the_ticket_of_what_the_route_takes(
    submitted: ReviewRequest, browser: Client, cast: Cast, jira: JiraCloud, now: datetime
) -> None:
    site = sites.site_at(jira, now=now)
    item = make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    route = sites.make_route(site, work="action_item")
    mapped = {"tier": {"id": "customfield_10033", "kind": "string"}}
    mapped |= {"reference": {"id": "customfield_10036", "kind": "string"}}
    TicketRoute.objects.update(field_map=mapped)
    shown = html_of(browser.get(f"/settings/tickets/routes/{route.pk}/preview/"))
    assert [text in shown for text in (item.ref, item.ticket.label, "customfield_10036")] == [True] * 3
    assert [text in shown for text in (submitted.ref, "customfield_10033", "the ticket of a request")] == [False] * 3
    form = browser.get(f"/settings/tickets/routes/{route.pk}/fields/").context["form"]
    assert [name for name in form.fields if name in FIELD_VALUES] == ["reference", "link"]
    mixed = html_of(browser.get(f"/settings/tickets/routes/{site.routes.earliest('pk').pk}/preview/"))
    assert [text in mixed for text in (submitted.ref, "This is the ticket of a request.")] == [True] * 2
    assert item.ref not in mixed


def test_a_route_of_everything_needs_values_of_every_ticket(browser: Client, jira: JiraCloud, now: datetime) -> None:
    site = sites.site_at(jira, now=now, state=SiteState.SETUP, is_ok=None)
    jira.config.required.append("customfield_10033")
    TicketRoute.objects.update(field_map={"tier": {"id": "customfield_10033", "kind": "string"}})
    where = f"/settings/tickets/{site.pk}/activate/"
    assert "set up a route of its own for action items" in html_of(browser.post(where, follow=True))
    assert TicketSite.objects.get().state == SiteState.SETUP
    TicketRoute.objects.update(work="review")
    TicketSite.objects.update(is_ok=None)
    assert "Jira is active." in html_of(browser.post(where, follow=True))
