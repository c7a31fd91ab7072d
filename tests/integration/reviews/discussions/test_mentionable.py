"""Whom a comment can mention is offered to whoever sees the thing, and nobody else is named to anybody."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from tests.factories.people import Cast, make_person
from tests.integration.reviews.requests.reading import enter

pytestmark = pytest.mark.django_db
READERS = ["approver", "auditor", "author", "finance", "product", "reviewer_one", "reviewer_two", "steward"]


def offered(user: User, thing: ReviewRequest | Finding, typed: str = "") -> list[str]:
    kind, ref = ("request", thing.ref) if isinstance(thing, ReviewRequest) else ("finding", str(thing))
    answer = enter(user).get(f"/discussions/{kind}/{ref}/people/", {"q": typed})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    return [each["username"] for each in answer.json()["people"]]


@pytest.fixture
def finding(db: None, now: datetime) -> Finding:
    sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key="over")
    return raise_once(sighting=sighting, by=None, now=now)


@pytest.mark.parametrize("who", ["author", "reviewer_one", "approver", "product", "finance", "steward", "admin"])
def test_each_role_is_offered_those_who_see_the_request(draft: ReviewRequest, cast: Cast, who: str) -> None:
    assert offered(getattr(cast, who), draft) == ["admin", *READERS][:8]
    assert offered(getattr(cast, who), draft, "rev") == ["reviewer_one", "reviewer_two"]
    assert offered(getattr(cast, who), draft, "outs") == []


def test_whoever_may_not_comment_is_offered_nobody(draft: ReviewRequest, auditor: User) -> None:
    assert offered(auditor, draft, "rev") == []


@pytest.mark.parametrize("typed", ["", "a", "author"])
def test_who_does_not_see_the_thing_learns_nothing(
    draft: ReviewRequest, finding: Finding, cast: Cast, client, typed: str
) -> None:
    address = f"/discussions/request/{draft.ref}/people/"
    told = enter(cast.outsider).get(address, {"q": typed})
    unknown = enter(cast.outsider).get("/discussions/request/MRR-2000-9999/people/", {"q": typed})
    assert (told.status_code, unknown.status_code) == (404, 404)
    assert b"reviewer" not in told.content
    assert enter(cast.author).get(f"/discussions/finding/{finding}/people/", {"q": typed}).status_code == 404
    assert enter(cast.author).get(f"/discussions/person/{draft.ref}/people/", {"q": typed}).status_code == 404
    assert client.get(address, {"q": typed})["Location"].startswith("/accounts/login/")
    assert enter(cast.author).post(address, {"q": typed}).status_code == 405


def test_who_reads_a_finding_is_not_who_reads_a_request(finding: Finding, cast: Cast) -> None:
    assert offered(cast.admin, finding) == ["admin", "approver", "auditor", "finance"]


def test_names_are_found_by_their_beginning_in_any_case(
    draft: ReviewRequest, team: Team, author: User, now: datetime
) -> None:
    ada = make_person("ada.lovelace", Role.REQUESTER, team=team, now=now)
    User.objects.filter(pk=ada.pk).update(username="al42", first_name="Ädä")
    for typed in ("AL4", "ädä", "ÄDÄ", "love", "LoveLace"):
        assert offered(author, draft, typed) == ["al42"]
    assert offered(author, draft, "ovelace") == offered(author, draft, "example.org") == []
    people.close_account(user=ada, by=None, now=now)
    assert offered(author, draft, "al42") == []


def test_at_most_eight_people_are_offered(draft: ReviewRequest, team: Team, author: User, now: datetime) -> None:
    for number in range(12):
        make_person(f"zoe{number:02}", Role.REQUESTER, team=team, now=now)
    assert offered(author, draft, "zoe") == [f"zoe{number:02}" for number in range(8)]
    assert offered(author, draft, "zoe1") == ["zoe10", "zoe11"]


@pytest.mark.parametrize(
    "typed",
    ["%", "_", "a%", "%author%", "\\", "a\x00", "'", "a' OR 1=1", "\ud83d\ude00", "a b", "a" * 151, "a" * 10_000],
    ids=[
        "percent",
        "line",
        "beginning",
        "both",
        "backslash",
        "nul",
        "quote",
        "sql",
        "emoji",
        "space",
        "long",
        "hostile",
    ],
)
def test_hostile_words_find_nobody(draft: ReviewRequest, author: User, typed: str) -> None:
    assert offered(author, draft, typed.encode("utf-16", "surrogatepass").decode("utf-16")) == []


def test_a_question_that_is_no_name_costs_no_search(draft: ReviewRequest, author: User) -> None:
    browser = enter(author)
    with CaptureQueriesContext(connection) as found:
        browser.get(f"/discussions/request/{draft.ref}/people/", {"q": "a" * 10_000})
    assert not [query for query in found if 'first_name"::text' in query["sql"]]
