"""The inbox reads what it lists by indexes, and finds what a condition over all rows finds."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.people.actions import people
from governance.people.queries.people import person_of
from reviews.inbox.domain import InboxKind
from reviews.inbox.queries import findings, inbox, requests, work
from reviews.inbox.queries.away import open_own_or_left, own_or_left
from reviews.inbox.queries.inbox import inbox_of
from reviews.requests.domain.lifecycle import OPEN_STATES
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import visible_to
from reviews.voting.models import Revision
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


def votes(user: User, now: datetime) -> list[str]:
    entries = inbox_of(person=person_of(user), now=now).entries
    return [entry.ref for entry in entries if entry.kind is InboxKind.VOTE]


def test_the_parts_of_open_requests_are_all_of_them(cast: Cast, now: datetime) -> None:
    walks.make_decided(cast=cast, now=now)
    drafts = {walks.make_draft(by=cast.author, now=now, purpose=f"Purpose {number}").pk for number in range(3)}
    absences = [frozenset[int](), frozenset({cast.author.pk}), frozenset({cast.author.pk, cast.approver.pk})]

    def check() -> None:
        for person in map(person_of, cast.everybody()):
            for absent in absences:
                rows = visible_to(person).filter(own_or_left(person, absent=absent), state__in=OPEN_STATES)
                found = ReviewRequest.objects.filter(pk__in=open_own_or_left(person, absent=absent))
                assert set(found.values_list("pk", flat=True)) == set(rows.values_list("pk", flat=True))

    check()
    found = ReviewRequest.objects.filter(pk__in=open_own_or_left(person_of(cast.approver), absent=absences[1]))
    assert {row.pk for row in found} == drafts
    people.close_account(user=cast.author, by=cast.admin, now=now)
    check()


def test_what_waits_for_nothing_displaces_no_draft(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LISTED_MAX", 2)
    walks.make_in_review(cast=cast, now=now)
    cheap = {"environment": "dev", "declared": {"training_gpu_hours": "10", "training_cost_usd": "300"}}
    cleared = cheap | {"declared": cheap["declared"] | {"inference_cost_1y_usd": "600"}}
    trial = make_version(by=cast.author, now=now, slug="trial", seed=5)
    for number in range(2):
        row = walks.make_submitted(by=cast.author, now=now, version=trial, purpose=f"Try {number}", **cleared)
        assert row.state == "cleared"
    draft = walks.make_draft(by=cast.author, now=now, purpose="Another")
    found = inbox_of(person=person_of(cast.author), now=now)
    assert draft.ref in [entry.ref for entry in found.entries]
    assert len(found.waiting_on_others) == 1
    assert found.is_cut, "there may be a third that was cleared"


def test_changes_that_others_confirm_displace_none(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LISTED_MAX", 1)
    monkeypatch.setattr(inbox, "pending_for", lambda person: ["theirs", "mine"])
    asked = []
    monkeypatch.setattr(work, "changes", lambda rows, **_: asked.append(list(rows)) or iter(()))
    monkeypatch.setattr(work, "proposals", lambda rows, **_: iter(()))
    inbox_of(person=person_of(cast.finance), now=now)
    assert asked == [["theirs", "mine"]]


def test_a_vote_waits_for_the_quorum_of_the_stages_before_it(cast: Cast, now: datetime) -> None:
    request = walks.make_in_review(cast=cast, now=now)
    assert votes(cast.reviewer_one, now) == [request.ref]
    assert votes(cast.approver, now) == []
    walks.approve_technically(request=request, cast=cast, now=now)
    assert votes(cast.reviewer_one, now) == []
    assert votes(cast.approver, now) == [request.ref]


def test_requests_that_do_not_wait_for_a_role_are_not_looked_at(cast: Cast, now: datetime) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert votes(cast.approver, now) == votes(cast.finance, now) == []
        return sum(Revision._meta.db_table in each["sql"] and "bundle" in each["sql"] for each in found)

    before = asked()
    for number in (1, 2):
        version = make_version(by=cast.author, now=now, version=f"2.{number}.0", seed=number)
        walks.make_in_review(cast=cast, now=now, version=version)
    assert asked() <= before + 1, "the stages alone are read, in the query that finds no request"


def test_findings_without_an_owner_are_counted_up_to_a_bound(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def titles() -> list[str]:
        entries = inbox_of(person=person_of(cast.finance), now=now).entries
        return [entry.title for entry in entries if entry.kind is InboxKind.FINDING]

    for key in ("one", "two"):
        sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key=key)
        raise_once(sighting=sighting, by=None, now=now)
    monkeypatch.setattr(findings, "ROWS_MAX", 2)
    assert titles() == ["2 findings without an owner"]
    monkeypatch.setattr(findings, "ROWS_MAX", 1)
    assert titles() == ["More than 1 findings without an owner"]
