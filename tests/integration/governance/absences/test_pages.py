"""The page and the API of absences."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance.absences.models import Absence
from governance.people.approvals.models import Change
from tests.factories.absences import REASON, days, make_absence
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db
PATH, API = "/absences/", "/api/v1/absences/"
Browser = Callable[[User], Client]
Program = Callable[[User | None], APIClient]


def dates(now: datetime) -> dict[str, str]:
    period = days(now)
    return {"starts_on": str(period.starts_on), "ends_on": str(period.ends_on)}


def test_the_page_states_and_ends_an_absence(cast: Cast, as_: Browser, now: datetime) -> None:
    browser = as_(cast.reviewer_one)
    assert b"No absences" in browser.get(PATH).content
    answer = browser.post(PATH, dates(now) | {"deputy": "reviewer_two"}, follow=True)
    row = Absence.objects.get()
    assert f"{row} is stated" in answer.content.decode()
    assert "Reviewer Two" in answer.content.decode()
    assert "Propose a deputy" not in answer.content.decode()
    answer = browser.post(f"{PATH}{row.pk}/end/", {}, follow=True)
    assert "is over; its deputy has no right any more" in answer.content.decode()
    assert browser.post(f"{PATH}{row.pk}/end/", {}).status_code == 404


def test_the_page_shows_what_is_wrong_beside_the_field(cast: Cast, as_: Browser, now: datetime) -> None:
    browser = as_(cast.reviewer_one)
    answer = browser.post(PATH, dates(now) | {"deputy": "finance"})
    assert answer.status_code == 400
    assert "has no role of Reviewer One that votes" in answer.content.decode()
    assert browser.post(PATH, {"starts_on": "soon"}).status_code == 400
    lead = as_(cast.approver)
    answer = lead.post(PATH, dates(now) | {"person": "reviewer_two"})
    assert answer.status_code == 400
    assert "The absence of another person needs a reason" in answer.content.decode()
    assert not Absence.objects.exists()
    row = make_absence(cast.reviewer_two, now=now)
    answer = lead.post(f"{PATH}{row.pk}/end/", {"reason": "no"})
    assert answer.status_code == 400
    assert "Give a reason" in answer.content.decode()


def test_a_lead_states_for_others_and_proposes_a_deputy(cast: Cast, as_: Browser, now: datetime) -> None:
    lead = as_(cast.approver)
    lead.post(PATH, dates(now) | {"person": "reviewer_one", "reason": REASON})
    row = Absence.objects.get()
    assert (row.person, row.stated_by, row.reason) == (cast.reviewer_one, cast.approver, REASON)
    where = f"{PATH}{row.pk}/deputy/"
    assert lead.post(where, {"deputy": "finance", "reason": ""}).status_code == 400
    answer = lead.post(where, {"deputy": "approver", "reason": REASON})
    assert answer.status_code == 403
    assert "You cannot propose yourself" in answer.content.decode()
    answer = lead.post(where, {"deputy": "finance", "reason": REASON}, follow=True)
    change = Change.objects.get()
    assert f"{change} is proposed" in answer.content.decode()
    assert as_(cast.reviewer_one).post(where, {"deputy": "product", "reason": REASON}).status_code == 403
    assert as_(cast.author).post(where, {"deputy": "product", "reason": REASON}).status_code == 404
    as_(cast.admin).post(f"/changes/{change.pk}/confirm/")
    assert f"as reviewer, {change}" in " ".join(lead.get(PATH).content.decode().split())


def test_the_api_states_lists_proposes_and_ends(cast: Cast, api: Program, now: datetime) -> None:
    own, lead = api(cast.reviewer_one), api(cast.approver)
    answer = own.post(API, dates(now), format="json")
    assert answer.status_code == 201, answer.json()
    (listed,) = lead.get(API).json()["results"]
    assert (listed["person"], listed["deputy"], listed["confirmed_roles"]) == ("reviewer_one", None, [])
    where = f"{API}{listed['id']}/"
    answer = lead.post(f"{where}deputy/", {"deputy": "finance", "reason": REASON}, format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["can_be_confirmed_by"] == ["admin"]
    assert own.post(f"{where}deputy/", {}, format="json").status_code == 403
    assert own.post(f"{where}end/", {}, format="json").json()["ended_at"] is not None
    assert own.post(f"{where}end/", {}, format="json").status_code == 404
    refusal = own.post(API, dates(now) | {"person": "reviewer_two"}, format="json")
    assert refusal.status_code == 403
    assert own.post(API, {"starts_on": "soon"}, format="json").status_code == 400


def test_the_inbox_says_that_one_is_absent(cast: Cast, as_: Browser, now: datetime) -> None:
    assert b"You are absent" not in as_(cast.reviewer_one).get("/").content
    make_absence(cast.reviewer_one, by=cast.approver, now=now)
    assert b"You are absent" in as_(cast.reviewer_one).get("/").content
