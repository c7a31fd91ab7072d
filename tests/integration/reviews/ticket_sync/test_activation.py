"""No site opens tickets with routes that were not tested as they are."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from governance import secrets
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import routes, sites
from reviews.ticket_sync.actions.routes import RouteSpec
from reviews.ticket_sync.queries.asking import connection_health
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.jira.answers import BoundedAdapter
from reviews.tickets.models import SiteState, Ticket, TicketRoute, TicketSite
from tests.factories import tickets as made
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.ticket_sync.audited import SPEC
from tests.late_locks import late_locks
from tests.pages import html_of
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
REVIEWS = RouteSpec(project="MR", issue_type="Task", work="review")
Write = Callable[[TicketRoute, datetime], object]
WRITES: dict[str, Write] = {
    "add": lambda route, now: routes.add_route(site=route.site, spec=REVIEWS, by=None, now=now),
    "change": lambda route, now: routes.change_route(route=route, spec=SPEC, by=None, now=now),
    "fields": lambda route, now: routes.map_fields(
        route=route, field_map={"tier": FieldTarget("x", FieldKind.TEXT)}, fields={}, by=None, now=now
    ),
    "statuses": lambda route, now: routes.map_statuses(
        route=route, statuses={"in_review": "In Review"}, moves={}, by=None, now=now
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(("state", "is_ok"), [(SiteState.SETUP, None), (SiteState.ACTIVE, True)])
def test_a_changed_route_must_be_tested_before_the_site_is_activated(
    now: datetime, write: Write, state: str, is_ok: bool | None
) -> None:
    site = made.make_routed_site(now=now, state=state)
    write(site.routes.get(), now)
    site.refresh_from_db()
    assert (site.state, site.is_ok) == (state, is_ok)
    before = snapshot()
    with pytest.raises(WrongState, match="Test the connection first" if is_ok is None else "is active already"):
        sites.activate_site(site=site, by=None, now=now)
    assert snapshot() == before


def test_a_failed_test_does_not_activate(now: datetime) -> None:
    site = made.make_routed_site(now=now, state=SiteState.SETUP, is_ok=False)
    with pytest.raises(WrongState, match="The last test failed"):
        sites.activate_site(site=site, by=None, now=now)


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def test_the_page_tests_each_route_before_it_activates(browser: Client, jira: JiraCloud, now: datetime) -> None:
    site = made.site_at(jira, now=now, state=SiteState.SETUP, is_ok=None)
    broken = made.make_route(site, work="review", issue_type="Epic")
    where = f"/settings/tickets/{site.pk}/activate/"
    page = html_of(browser.post(where, follow=True))
    assert "The last test failed" in page
    assert "no issue type Epic" in page
    site.refresh_from_db()
    assert (site.state, site.is_ok) == ("setup", False)
    routes.change_route(route=broken, spec=RouteSpec(project="MR", issue_type="Bug", work="review"), by=None, now=now)
    assert "Jira is active." in html_of(browser.post(where, follow=True))
    site.refresh_from_db()
    assert (site.state, site.is_ok) == ("active", True)
    assert not [line for line in jira.requests("POST") if line.startswith(f"POST {jira.root}/issue ")]


@pytest.mark.parametrize("state", [SiteState.ACTIVE, SiteState.SETUP])
def test_a_credential_is_renewed_while_a_route_is_broken(
    browser: Client, jira: JiraCloud, now: datetime, state: str
) -> None:
    """The pages that mend the route ask Jira with the stored credential."""
    site = made.site_at(jira, now=now, state=state)
    broken = made.make_route(site, work="review", issue_type="Epic")
    jira.config.token = "a-renewed-token"
    page = f"/settings/tickets/routes/{broken.pk}/"
    assert "does not accept" in html_of(browser.get(page))
    account = {} if isinstance(jira, JiraDataCenter) else {"account": jira.config.email}
    answer = browser.post(
        f"/settings/tickets/{site.pk}/credential/", {"credential": "a-renewed-token"} | account, follow=True
    )
    assert answer.redirect_chain == [(f"/settings/tickets/{site.pk}/", 302)]
    shown = html_of(answer)
    assert "The credential is stored. One of the routes does not work yet: Project MR has no issue type Epic" in shown
    site.refresh_from_db()
    assert (site.state, site.is_ok, secrets.decrypt(site.credential)) == (state, False, "a-renewed-token")
    assert [(step["name"], step["ok"]) for step in site.steps][-1] == ("Issue type", False)
    if state == SiteState.SETUP:
        before = snapshot()
        with pytest.raises(WrongState, match="The last test failed"):
            sites.activate_site(site=site, by=None, now=now)
        assert snapshot() == before
    mended = {"work": "review", "project": "MR", "issue_type": "Bug"}
    assert browser.post(page, mended).status_code == 302
    assert connection_health(TicketSite.objects.get()).ok


@pytest.mark.parametrize("path", ["project/MR$", "mypermissions", "issue/createmeta/MR/issuetypes$"])
def test_a_credential_that_jira_refuses_at_a_later_step_is_not_stored(
    browser: Client, jira: JiraCloud, now: datetime, path: str
) -> None:
    site = made.site_at(jira, now=now)
    account = {} if isinstance(jira, JiraDataCenter) else {"account": jira.config.email}
    before = snapshot()
    jira.order(f"GET .*/{path}", status=401, body={})
    answer = browser.post(f"/settings/tickets/{site.pk}/credential/", {"credential": "standin-token"} | account)
    assert (answer.status_code, "Jira does not accept" in html_of(answer)) == (400, True)
    assert snapshot() == before


def test_the_command_adds_a_site(db: None, jira: JiraCloud, tmp_path: Path) -> None:
    token, out = tmp_path / "token", StringIO()
    token.write_text(f"{jira.config.token}\n")
    account = "" if isinstance(jira, JiraDataCenter) else jira.config.email
    options = {"token_file": token, "project": "MR", "account": account, "status": ["in_review=In Review"]}
    call_command("add_ticket_site", jira.url, stdout=out, **options)
    site = TicketSite.objects.get()
    assert out.getvalue() == f"Jira is active: {site.server} at {jira.url}.\n"
    assert (site.state, secrets.decrypt(site.credential)) == ("active", jira.config.token)
    assert site.routes.get().statuses == {"in_review": "In Review"}
    TicketRoute.objects.all().delete()
    with pytest.raises(CommandError, match="There is no event 'reviewing'"):
        call_command("add_ticket_site", jira.url, name="Other", **(options | {"status": ["reviewing=In Review"]}))
    made.make_route(site)
    with pytest.raises(CommandError, match="takes exactly these tickets"):
        call_command("add_ticket_site", jira.url, name="Other", **options)
    TicketRoute.objects.all().delete()
    token.write_text("wrong")
    with pytest.raises(CommandError, match="does not accept"):
        call_command("add_ticket_site", jira.url, name="Other", **options)
    token.write_text(jira.config.token)
    with pytest.raises(CommandError, match="has no issue type Epic"):
        call_command("add_ticket_site", jira.url, name="Other", **(options | {"issue_type": "Epic"}))
    with pytest.raises(CommandError, match="The file of the token cannot be read"):
        call_command("add_ticket_site", jira.url, name="Other", **(options | {"token_file": tmp_path / "none"}))
    with pytest.raises(CommandError, match="not a web address"):
        call_command("add_ticket_site", "jira", name="Other", **options)
    assert TicketSite.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_jira_is_asked_before_anything_is_stored(
    submitted: ReviewRequest, jira: JiraCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for Jira with the head of the audit trail locked stops everybody who writes."""
    asked, send = list[bool](), BoundedAdapter.send

    def sent(*arguments: Any, **named: Any) -> Any:
        asked.append(connection.in_atomic_block or TicketSite.objects.exists())
        return send(*arguments, **named)

    monkeypatch.setattr(BoundedAdapter, "send", sent)
    token = tmp_path / "token"
    token.write_text(jira.config.token)
    account = "" if isinstance(jira, JiraDataCenter) else jira.config.email
    given = {"token_file": token, "project": "MR", "account": account, "status": ["in_review=In Review"]}
    with late_locks() as late:
        call_command("add_ticket_site", f" {jira.url}/ ", **given)
    assert (set(asked), late) == ({False}, [])
    assert len(asked) > len(("server", "account", "project", "permissions", "issue type", "statuses"))
    site = TicketSite.objects.get()
    assert (site.base_url, site.is_ok, site.steps[-1]["name"]) == (jira.url, True, "Statuses")
    assert Ticket.objects.get(request=submitted).site == site
