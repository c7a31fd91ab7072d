"""Saved views beside their list, on their page, in the search and over the API; and the undo of their removal."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.saved_views import domain, rules
from governance.saved_views.actions import remove_view
from governance.saved_views.models import SavedView
from tests.factories.people import OTHER_TEAM, TEAM, Cast
from tests.factories.saved_views import make_view
from tests.pages import html_of, undo_form

pytestmark = pytest.mark.django_db
PATH, API, LIST = "/saved-views/", "/api/v1/saved-views/", "/requests/?state=draft&page=1"
SENT = {"list_name": "reviews:list", "filters": "state=draft&page=1", "name": " My  drafts "}
Browser = Callable[[User], Client]
Program = Callable[[User | None], APIClient]


def test_a_list_saves_its_filters_and_opens_them(cast: Cast, as_: Browser) -> None:
    browser = as_(cast.author)
    assert "Save this view" not in html_of(browser.get("/requests/"))
    assert "Save this view" in html_of(browser.get(LIST))
    answer = browser.post(PATH, SENT, follow=True)
    assert answer.redirect_chain == [("/requests/?state=draft", 302)]
    assert "“My drafts” is saved." in html_of(answer)
    assert "Save this view" not in html_of(answer)
    assert 'href="/requests/?state=draft" aria-current="true"' in html_of(answer)
    assert "My drafts" in html_of(browser.get("/requests/"))
    assert "My drafts" not in html_of(browser.get("/runs/"))
    assert "My drafts" in html_of(browser.get("/search/suggestions/?q=drafts"))
    assert "My drafts" not in html_of(as_(cast.reviewer_one).get("/requests/"))


def test_the_form_below_the_filters_has_the_token_against_forged_requests(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.author)
    form = (
        html_of(browser.get("/datasets/?status=retired")).partition('action="/saved-views/"')[2].partition("</form>")[0]
    )
    sent = dict(re.findall(r'name="(csrfmiddlewaretoken|list_name|filters)" value="([^"]*)"', form))
    assert browser.post(PATH, sent | {"name": "Old sets", "csrfmiddlewaretoken": ""}).status_code == 403
    assert not SavedView.objects.exists()
    assert browser.post(PATH, sent | {"name": "Old sets"}).status_code == 302
    assert SavedView.objects.get().filters == "status=retired"


def test_a_shared_view_is_on_the_list_of_the_team_alone(cast: Cast, as_: Browser, now: datetime) -> None:
    make_view(cast.approver, name="To file", team=Team.objects.get(slug=TEAM), now=now)
    assert 'To file<span class="faint"> by Approver</span>' in html_of(as_(cast.author).get("/requests/"))
    assert "To file" not in html_of(as_(cast.outsider).get("/requests/"))
    assert "To file" not in html_of(as_(cast.admin).get("/requests/"))
    assert "To file" in html_of(as_(cast.admin).get(PATH))
    row = SavedView.objects.get()
    assert as_(cast.author).post(f"{PATH}{row.pk}/remove/").status_code == 403
    assert as_(cast.outsider).post(f"{PATH}{row.pk}/remove/").status_code == 404
    assert SavedView.objects.exists()
    assert "Undo" not in html_of(as_(cast.admin).post(f"{PATH}{row.pk}/remove/", follow=True))
    assert not SavedView.objects.exists()


def test_a_view_is_shown_to_whoever_may_open_its_list_alone(cast: Cast, as_: Browser, now: datetime) -> None:
    team = Team.objects.get(slug=TEAM)
    row = make_view(cast.admin, name="Removed roles", team=team, list_name="governance:audit", now=now)
    for person in (cast.author, cast.approver):
        for path in (PATH, "/search/suggestions/?q=removed"):
            assert "Removed roles" not in html_of(as_(person).get(path))
        assert as_(person).post(f"{PATH}{row.pk}/remove/").status_code == 404
        sent = {"list_name": "governance:audit", "filters": "kind=vote.cast", "name": "Mine"}
        assert as_(person).post(PATH, sent).status_code == 403
    assert "Removed roles" in html_of(as_(cast.admin).get(PATH))
    assert list(SavedView.objects.all()) == [row]


def test_whose_list_it_is_says_its_page(cast: Cast, as_: Browser) -> None:
    for user in cast.everybody():
        opened = tuple(name for name in domain.LISTS if as_(user).get(reverse(name)).status_code == 200)
        assert rules.lists_of(person_of(user)) == opened, user


def test_what_is_refused_is_said_beside_the_field_and_nothing_is_saved(cast: Cast, as_: Browser) -> None:
    browser = as_(cast.author)
    answer = browser.post(PATH, SENT | {"team": OTHER_TEAM})
    assert answer.status_code == 400
    assert 'value=" My  drafts "' in answer.content.decode()
    assert browser.post(PATH, SENT | {"filters": "page=2"}).status_code == 400
    assert browser.post(PATH, SENT | {"list_name": "governance:settings"}).status_code == 400
    assert not SavedView.objects.exists()
    browser.post(PATH, SENT)
    answer = browser.post(PATH, SENT)
    assert answer.status_code == 400
    assert "You have a view “My drafts” of Requests. Choose another name." in html_of(answer)
    assert SavedView.objects.count() == 1


def test_a_person_has_so_many_views(cast: Cast, as_: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.saved_views.actions.VIEWS_MAX", 1)
    browser = as_(cast.author)
    browser.post(PATH, SENT)
    assert "You have 1 saved views. Remove one first." in html_of(browser.post(PATH, SENT | {"name": "Other"}))
    assert SavedView.objects.count() == 1 < domain.VIEWS_MAX


def test_a_removal_can_be_undone_once_and_by_nobody_else(cast: Cast, as_: Browser, now: datetime) -> None:
    row = make_view(cast.author, team=Team.objects.get(slug=TEAM), now=now)
    browser = as_(cast.author)
    form = undo_form(browser.post(f"{PATH}{row.pk}/remove/", follow=True))
    assert form["page"] == PATH
    answer = as_(cast.reviewer_one).post("/undo/", form, follow=True)
    assert "cannot be undone here any more" in html_of(answer)
    assert not SavedView.objects.exists()
    assert "“Drafts” is saved again." in html_of(browser.post("/undo/", form, follow=True))
    again = SavedView.objects.get()
    assert (again.name, again.filters, again.team, again.owner) == ("Drafts", "state=draft", row.team, cast.author)
    assert "You have a view “Drafts”" in html_of(browser.post("/undo/", form, follow=True))
    kinds = AuditEvent.objects.filter(kind__startswith="saved_view.").values_list("kind", flat=True)
    assert list(kinds) == ["saved_view.saved", "saved_view.removed", "saved_view.saved"]


def test_a_view_that_is_gone_is_not_removed_again(cast: Cast, now: datetime) -> None:
    row = make_view(cast.author, now=now)
    gone = SavedView.objects.get(pk=row.pk)
    for each in (row, gone):
        remove_view(view=each, by=cast.author, now=now)
    assert AuditEvent.objects.filter(kind="saved_view.removed").count() == 1


def test_the_api_saves_lists_and_removes(cast: Cast, api: Program) -> None:
    own = api(cast.author)
    sent = {"list_name": "reviews:list", "name": "Drafts", "filters": "state=draft", "team": TEAM}
    answer = own.post(API, sent, format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["address"] == "/requests/?state=draft"
    assert own.post(API, sent | {"team": OTHER_TEAM}, format="json").status_code == 403
    assert own.post(API, sent | {"list_name": "x"}, format="json").status_code == 400
    assert [row["name"] for row in own.get(API).json()["results"]] == ["Drafts"]
    assert api(cast.outsider).get(API).json()["results"] == []
    where = f"{API}{answer.json()['id']}/remove/"
    assert api(cast.outsider).post(where).status_code == 404
    assert own.post(where).status_code == 204
    assert own.post(where).status_code == 404
