"""Discussions of findings and of agenda items: who finds them, who can be mentioned, and where they lead."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.findings.rules import may_read_findings
from governance.people.queries.people import person_of
from reviews.discussions.kinds import KINDS
from reviews.discussions.models import Comment, Mention
from reviews.quarterly.models import AgendaItem
from reviews.quarterly.rules import may_see_cycles
from reviews.requests.models import ReviewRequest
from tests.factories import cycles
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, words

pytestmark = pytest.mark.django_db
Enter = Callable[[User], APIClient]


@pytest.fixture
def finding(cast: Cast, now: datetime) -> Finding:
    fields = {"kind": "cost.breach", "subject": "A model", "text": "It costs more.", "severity": Severity.HIGH}
    return Finding.objects.create(**fields, key="cost.breach:1", owner=cast.author, due_on=now.date(), opened_at=now)


@pytest.fixture
def item(cast: Cast, now: datetime) -> AgendaItem:
    cycle = cycles.make_frozen(now=now)
    fields = {"kind": "added", "subject": "x", "title": "Who pays?", "reason": "y", "position": 1}
    return AgendaItem.objects.create(cycle=cycle, **fields, added_by=cast.approver, added_at=now)


def test_a_finding_is_discussed_by_its_readers(finding: Finding, cast: Cast, api: Enter) -> None:
    path = f"/api/v1/discussions/finding/{finding}/"
    assert api(cast.author).post(path, {"text": "I look, @finance, @outsider."}, format="json").status_code == 201
    assert not Mention.objects.filter(person=cast.outsider).exists()
    assert api(cast.reviewer_one).get(path).status_code == 404
    assert api(cast.finance).get(f"/api/v1/discussions/finding/{finding.pk}/").data["count"] == 1
    for wrong in ("FND-x", "FND-99", "9" * 30, "x"):
        assert api(cast.finance).get(f"/api/v1/discussions/finding/{wrong}/").status_code == 404
    event = AuditEvent.objects.get(kind="comment.written")
    assert (event.subject_type, event.subject) == ("finding", str(finding))
    assert Comment.objects.get().revision is None
    readers = set(KINDS["finding"].people(finding))
    assert readers == {user for user in cast.everybody() if may_read_findings(person_of(user)) or user == finding.owner}


def test_the_page_of_findings_leads_there(finding: Finding, cast: Cast) -> None:
    client, path = enter(cast.finance), f"/discussions/finding/{finding.pk}/"
    assert f'href="{path}"' in client.get("/findings/").content.decode()
    answer = client.post(f"{path}threads/", {"text": "Who looks?", "page": "1"})
    assert answer.url == f"/findings/{finding.pk}/#comment-{Comment.objects.get().pk}"
    assert f'href="/findings/{finding.pk}/"' in client.get(path).content.decode()
    page = words(client.get(path))
    assert f"Discussion of {finding}" in page
    assert "Who looks?" in page


def test_every_kind_leads_to_a_page_that_shows_it(
    finding: Finding, item: AgendaItem, draft: ReviewRequest, cast: Cast
) -> None:
    rows = {"finding": finding, "agenda_item": item, "request": draft}
    assert set(rows) == set(KINDS)
    for name, row in rows.items():
        address, arguments = KINDS[name].page(row)
        answer = enter(cast.approver).get(reverse(address, args=arguments))
        assert (answer.status_code, KINDS[name].title(row) in words(answer)) == (200, True), name


def test_an_agenda_item_is_discussed_by_those_who_see_the_review(item: AgendaItem, cast: Cast, api: Enter) -> None:
    path = f"/api/v1/discussions/agenda_item/{item.pk}/"
    assert api(cast.product).post(path, {"text": "Product does, @finance."}, format="json").status_code == 201
    assert api(cast.product).post(path, {"text": "x", "about": "metric:accuracy"}, format="json").status_code == 400
    assert api(cast.author).get(path).status_code == 404
    assert api(cast.product).get("/api/v1/discussions/agenda_item/x/").status_code == 404
    assert api(cast.product).get("/api/v1/discussions/agenda_item/999999/").status_code == 404
    assert AuditEvent.objects.get(kind="comment.written").subject == item.cycle.quarter
    readers = set(KINDS["agenda_item"].people(item))
    assert readers == {user for user in cast.everybody() if may_see_cycles(person_of(user))}


def test_the_page_of_the_review_leads_there(item: AgendaItem, cast: Cast) -> None:
    client, path = enter(cast.product), f"/discussions/agenda_item/{item.pk}/"
    assert f'href="{path}"' in client.get(f"/cycles/{item.cycle.quarter}/").content.decode()
    assert "Discussion of" in words(client.get(path))
