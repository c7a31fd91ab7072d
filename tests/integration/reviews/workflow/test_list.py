"""The list: what it shows to whom, and that its filters live in the address."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reviews.requests.models import ReviewRequest
from reviews.workflow.web import lists
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def refs(page) -> list[str]:
    return [row.ref for row in page.context["page"]]


@pytest.fixture
def three(author: User, now: datetime) -> list[ReviewRequest]:
    """Three drafts, oldest first: two for production, one for staging."""
    return [
        walks.make_draft(
            by=author,
            now=now,
            title=title,
            environment=environment,
            purpose=title,
            declared={},
            version=make_version(by=author, now=now, version=f"{seed}.0", seed=seed),
        )
        for seed, (title, environment) in enumerate([("Visual", "prod"), ("Speller", "staging"), ("Ranker", "prod")])
    ]


def test_newest_first(three: list[ReviewRequest], author: User) -> None:
    assert refs(enter(author).get("/requests/")) == [request.ref for request in reversed(three)]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("q=spell", [1]),
        ("environment=prod", [2, 0]),
        ("state=draft", [2, 1, 0]),
        ("state=decided", []),
        ("team=search", [2, 1, 0]),
        ("mine=1", [2, 1, 0]),
        ("environment=prod&q=vis", [2, 0]),
        ("state=no-such-state", [2, 1, 0]),
    ],
)
def test_the_address_holds_the_filters(three: list[ReviewRequest], author: User, query: str, places: list[int]) -> None:
    page = enter(author).get(f"/requests/?{query}")
    assert refs(page) == [three[place].ref for place in places]
    assert page.context["is_filtered"] is (query != "state=no-such-state")


def test_other_teams_see_nothing(three: list[ReviewRequest], cast: Cast) -> None:
    page = enter(cast.outsider).get("/requests/")
    assert refs(page) == []
    assert "No request has been filed yet" in words(page)
    assert [name for name, _ in page.context["form"].fields["team"].choices] == ["", "ads"]
    assert refs(enter(cast.outsider).get("/requests/?team=search")) == []


def test_reviewers_see_every_team(three: list[ReviewRequest], cast: Cast) -> None:
    page = enter(cast.reviewer_one).get("/requests/")
    assert len(refs(page)) == 3
    assert "File a request" not in words(page)


def test_nothing_found_offers_to_clear(three: list[ReviewRequest], author: User) -> None:
    assert "No request matches" in words(enter(author).get("/requests/?q=zzz"))


def test_pages_keep_the_filters(three: list[ReviewRequest], author: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    first = enter(author).get("/requests/?mine=1")
    assert refs(first) == [three[2].ref, three[1].ref]
    assert "mine=1&amp;page=2" in html_of(first)
    assert refs(enter(author).get("/requests/?mine=1&page=2")) == [three[0].ref]


def test_a_longer_list_asks_no_more(three: list[ReviewRequest], author: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, counts = enter(author), []
    for size in (1, 3):
        monkeypatch.setattr(lists, "PAGE_SIZE", size)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get("/requests/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
