"""What lists cost when there are many rows: as many queries as with few, and a bounded number of rows read."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.audit.queries import trail
from governance.people.queries.people import person_of
from governance.site import queries as site_queries
from governance.site.queries import BEYOND, BoundedPaginator
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import RequestSelection, list_requests, visible_to
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, words
from tests.mass_history import fill
from tests.masses import asked

pytestmark = pytest.mark.django_db
FEW, MANY, READ_MAX = 60, 3_000, 400
LISTS = ("/requests/", "/requests/?page=3", "/audit/", "/findings/")


def costs(user: User, path: str) -> tuple[int, int]:
    """The queries of the page, and the most rows that a part of one read."""
    browser = enter(user)
    browser.get(path)
    with asked() as statements:
        response = browser.get(path)
    assert response.status_code == 200, (user, path)
    return len(statements.statements), int(max(statements.rows_read().values()))


@pytest.fixture
def rows_max(monkeypatch: pytest.MonkeyPatch) -> int:
    """Lists count and turn to 100 rows at most."""
    monkeypatch.setattr(site_queries, "ROWS_MAX", 100)
    return 100


def test_a_list_of_many_costs_what_a_list_of_few_costs(decided: ReviewRequest, cast: Cast, rows_max: int) -> None:
    readers = [(user, path) for user in (cast.admin, cast.auditor) for path in LISTS]
    readers += [(user, path) for user in (cast.author, cast.outsider) for path in ("/requests/", "/findings/")]
    fill(decided, count=FEW)
    few = {(user.username, path): costs(user, path)[0] for user, path in readers}
    fill(decided, count=MANY, year=2016)
    for user, path in readers:
        queries, read = costs(user, path)
        assert queries == few[user.username, path], (user, path)
        theirs = 3 * MANY if user in (cast.author, cast.outsider) else 0  # read for each reason to see them
        assert read <= READ_MAX + theirs, (user, path, read)


def test_a_list_says_that_there_are_more_and_where_it_ends(decided: ReviewRequest, cast: Cast, rows_max: int) -> None:
    fill(decided, count=rows_max + 50)
    browser = enter(cast.approver)
    first, last = words(browser.get("/requests/")), words(browser.get("/requests/?page=999"))
    assert "of more than 100 requests" in first
    assert BEYOND in last
    assert BEYOND not in first
    assert "Page 4 of 4" in last
    assert BEYOND not in words(enter(cast.approver).get("/findings/"))


def test_an_answer_says_that_there_are_more_and_where_it_ends(
    decided: ReviewRequest, cast: Cast, rows_max: int
) -> None:
    fill(decided, count=rows_max + 50)
    client = APIClient()
    client.force_login(cast.approver)
    first = client.get("/api/v1/requests/").json()
    assert (first["count"], len(first["results"])) == (rows_max + 1, 50)
    assert client.get(first["next"]).json()["next"] is None
    beyond = client.get("/api/v1/requests/?page=3")
    assert beyond.status_code == 404
    assert BEYOND in beyond.content.decode()
    wrong = client.get("/api/v1/findings/?page=3")
    assert wrong.status_code == 404
    assert BEYOND not in wrong.content.decode()


def test_the_list_has_the_requests_that_a_person_may_see(decided: ReviewRequest, cast: Cast) -> None:
    fill(decided, count=20)
    for user in cast.everybody():
        person = person_of(user)
        listed = set(list_requests(person=person, filters=RequestSelection()))
        assert listed == set(visible_to(person)), user
    theirs = ReviewRequest.objects.filter(team__slug="ads").first()
    assert theirs is not None
    theirs.requester = cast.outsider
    theirs.team = decided.team
    theirs.save()
    assert theirs in list_requests(person=person_of(cast.outsider), filters=RequestSelection())


def test_a_list_that_is_no_query_is_counted_as_it_is() -> None:
    assert BoundedPaginator(range(30), 10).num_pages == 3


def test_the_subject_types_are_those_of_the_trail(decided: ReviewRequest) -> None:
    assert trail.subject_types() == sorted(set(AuditEvent.objects.values_list("subject_type", flat=True)))


def test_an_empty_trail_has_no_subject_types() -> None:
    assert trail.subject_types() == []
