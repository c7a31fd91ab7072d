"""An answer that a colleague gave while the page was open is not overwritten unread, by form or by program."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from rest_framework.test import APIClient

from governance.people.domain.roles import Role
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import ChecklistAnswer, ContradictionAnswer
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence
from tests.factories import requests as walks
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
ITEM = "owner-and-rollback"
THEIRS = "The search team answers for it; the old model is back within five minutes."
MINE = "The ads team answers for it, and rolls it back by the runbook."
CHANGED = "Somebody changed this answer after you opened it. Nothing was overwritten"
NO_ANSWER = ChecklistAnswer().digest


@pytest.fixture
def colleague(submitted: ReviewRequest, now: datetime) -> User:
    return make_person("colleague", Role.REQUESTER, team=submitted.team, now=now)


def sent(user: User, request: ReviewRequest, step: str, **data: object) -> HttpResponse:
    return enter(user).post(f"{page_of(request)}{step}/", data)


def test_an_answer_that_a_colleague_gave_meanwhile_stays(
    submitted: ReviewRequest, author: User, colleague: User, api: Callable[[User], APIClient]
) -> None:
    step, shown = f"checklist/{ITEM}", f'name="seen" value="{NO_ANSWER}"'
    assert shown in enter(author).get(page_of(submitted, "checklist")).content.decode()
    assert sent(colleague, submitted, step, text=THEIRS, seen=NO_ANSWER).status_code == 302
    before = snapshot()
    page = sent(author, submitted, step, text=MINE, seen=NO_ANSWER)
    assert (page.status_code, CHANGED in words(page), THEIRS in words(page)) == (409, True, True)
    html, present = page.content.decode(), ChecklistAnswer.objects.get().digest
    assert (f"{MINE}</textarea>" in html, f'name="seen" value="{present}"' in html) == (True, True)
    program, client = f"/api/v1{page_of(submitted)}{step}/", api(author)
    assert client.get(f"/api/v1{page_of(submitted, 'checklist')}").status_code == 200
    answer = client.put(program, {"text": MINE, "seen": NO_ANSWER}, format="json")
    assert (answer.status_code, answer.json()["code"], snapshot() == before) == (409, "changed", True)
    assert sent(author, submitted, step, text=MINE, seen=present).status_code == 302
    answer = client.put(program, {"text": f"{MINE} Daily."}, format="json").json()
    row = ChecklistAnswer.objects.get()
    assert (row.text, row.answered_by, answer["answer_digest"]) == (f"{MINE} Daily.", author, row.digest)


def test_a_file_or_a_confirmation_is_another_answer_too(submitted: ReviewRequest, author: User, now: datetime) -> None:
    answer = partial(evidence.answer_item, request=submitted, by=author, now=now)
    answer(item_id=ITEM, text=THEIRS, seen=NO_ANSWER)
    plain = ChecklistAnswer.objects.get().digest
    answer(item_id=ITEM, text=THEIRS, upload=SimpleUploadedFile("plan.md", b"# Plan\n"), seen=plain)
    with refused(WrongState, match=CHANGED, code="changed"):
        answer(item_id=ITEM, text=THEIRS, seen=plain)
    answer(item_id="rollback-rehearsed", is_attested=True, seen=NO_ANSWER)
    with refused(WrongState, match=CHANGED, code="changed"):
        answer(item_id="rollback-rehearsed", is_attested=True, seen=NO_ANSWER)


@pytest.mark.django_db(transaction=True)
def test_of_two_colleagues_who_answer_at_once_one_is_told(
    submitted: ReviewRequest, author: User, colleague: User, now: datetime
) -> None:
    answer = partial(evidence.answer_item, request=submitted, item_id=ITEM, seen=NO_ANSWER, now=now)
    answers = together([partial(answer, text=text, by=by) for text, by in ((MINE, author), (THEIRS, colleague))])
    (refusal,) = [each for each in answers if isinstance(each, Exception)]
    (kept,) = [each for each in answers if isinstance(each, ChecklistAnswer)]
    assert (type(refusal), refusal.code) == (WrongState, "changed")
    assert ChecklistAnswer.objects.get().text == kept.text


def test_an_explanation_that_a_colleague_gave_meanwhile_stays(
    policy: PolicyVersion, cast: Cast, now: datetime, api: Callable[[User], APIClient]
) -> None:
    request = walks.make_ready(by=cast.author, now=now, declared={**walks.DECLARED, "latency_p95_ms": "1.2"})
    colleague = make_person("colleague", Role.REQUESTER, team=request.team, now=now)
    step, shown = "contradictions/latency_p95_ms", {"seen": digest_of("")}
    page = enter(cast.author).get(page_of(request, "evidence")).content.decode()
    assert f'name="seen" value="{shown["seen"]}"' in page
    assert sent(colleague, request, step, text=THEIRS, **shown).status_code == 302
    before, present = snapshot(), digest_of(THEIRS)
    refusal = sent(cast.author, request, step, text=MINE, **shown)
    assert (refusal.status_code, CHANGED in words(refusal), THEIRS in words(refusal)) == (409, True, True)
    html = refusal.content.decode()
    assert (f"{MINE}</textarea>" in html, f'name="seen" value="{present}"' in html) == (True, True)
    client, program = api(cast.author), f"/api/v1{page_of(request)}{step}/"
    assert client.post(program, {"text": MINE, **shown}, format="json").status_code == 409
    assert snapshot() == before
    answer = client.post(program, {"text": MINE, "seen": present}, format="json").json()
    assert (answer["answer"], answer["answer_digest"]) == (MINE, digest_of(MINE))
    assert ContradictionAnswer.objects.get().text == MINE
