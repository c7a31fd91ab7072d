"""What another person changed while a page of the meeting was open is neither decided unread nor overwritten."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset
from governance.rulebook.models import PolicyVersion
from reviews.quarterly.actions import agenda, cycles, meeting
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ReviewCycle
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories.cycles import decided, make_held, make_proposed, met_at
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.quarterly.test_cycle import refused
from tests.integration.reviews.quarterly.test_meeting_pages import page_of, proposals_on
from tests.integration.reviews.quarterly.test_pages import entered, said
from tests.pages import html_of
from tests.threads import together
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast: Cast, now: datetime) -> ReviewCycle:
    return make_held(cast=cast, now=now)


def test_an_investment_is_approved_on_the_revision_that_was_read_or_not_at_all(
    policy: PolicyVersion, cast: Cast, now: datetime, api: Callable[[User], APIClient]
) -> None:
    """The requester opens the next revision while a lead reads this one. Page and program say which they read."""
    request, cycle = walks.make_in_review(cast=cast, now=now), make_held(cast=cast, now=now)
    item = agenda.add(cycle=cycle, title="The ranker", reason="It waits.", request=request, by=cast.approver, now=now)
    lead, base = entered(cast.approver), f"/cycles/{cycle.quarter}/meeting/{item.pk}/"
    assert 'name="revision_seen" value="1"' in said(lead, base)[1]
    requests.revise(request=request, reason="New weights.", by=cast.author, now=now)
    walks.explain_everything(request=request, by=cast.author, now=now)
    review.request_review(request=request, by=cast.author, now=now)
    walks.approve_technically(request=request, cast=cast, now=now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=met_at(now))
    words = decided(cast, now, kind=DecisionKind.APPROVE_INVESTMENT)
    why = "You saw revision 1, and this is revision 2. Read it, then vote."
    take = {"item": item, "decided": words, "by": cast.approver, "now": met_at(now)}
    refused(lambda: meeting.decide(**take, revision_seen=1), WrongState, why)
    sent = {"kind": "approve_investment", "rationale": words.rationale, "owner": "author", "due_on": words.due_on}
    before, program = snapshot(), f"/api/v1/cycles/{cycle.quarter}/agenda/{item.pk}/decisions/"
    status, page = said(lead, f"{base}decisions/", sent | {"revision_seen": "1"})
    assert (status, why in page, words.rationale in page) == (409, True, True)
    assert 'name="revision_seen" value="2"' in page
    assert api(cast.approver).post(program, sent | {"revision_seen": 1}, format="json").status_code == 409
    assert snapshot() == before
    assert meeting.decide(**take, revision_seen=2).effect.endswith("the request is decided.")
    assert request.votes.get(person=cast.approver).revision == 2


def test_notes_that_another_lead_wrote_meanwhile_are_not_overwritten(
    cast: Cast, held: ReviewCycle, now: datetime, api: Callable[[User], APIClient]
) -> None:
    """The text that was typed stays in the form, beside the notes that are saved; both are then saved together."""
    lead, other, base = entered(cast.approver), entered(cast.product), f"/cycles/{held.quarter}/"
    shown = {"seen": digest_of("")}
    for client in (lead, other):
        assert f'name="seen" value="{shown["seen"]}"' in said(client, base)[1]
    assert said(other, f"{base}notes/", shown | {"notes": "They asked for <two> weeks."})[0] == 302
    before = snapshot()
    status, page = said(lead, f"{base}notes/", shown | {"notes": "The budget is tight."})
    assert (status, "Nothing was overwritten" in page, snapshot() == before) == (409, True, True)
    assert "The budget is tight.</textarea>" in page
    kept = page[page.index('id="saved-notes"') :]
    assert "They asked for &lt;two&gt; weeks." in kept[: kept.index("</blockquote>")]
    again = {"seen": digest_of("They asked for <two> weeks.")}
    assert f'name="seen" value="{again["seen"]}"' in page
    program, both = f"/api/v1{base}notes/", "They asked for <two> weeks.\n\nThe budget is tight."
    answer = api(cast.approver).post(program, shown | {"notes": "Mine."}, format="json")
    assert (answer.status_code, answer.json()["code"], snapshot() == before) == (409, "changed", True)
    assert said(lead, f"{base}notes/", again | {"notes": both})[0] == 302
    assert said(lead, f"{base}notes/", again | {"notes": both})[0] == 302
    answer = api(cast.approver).post(program, {"notes": "All anew."}, format="json")
    assert (answer.status_code, answer.json()["notes_digest"]) == (200, digest_of("All anew."))
    assert api(cast.auditor).get(f"/api/v1{base}").json()["notes"] == "All anew."


@pytest.mark.parametrize("swapped", [{}, {"HX-Request": "true"}])
def test_who_changes_an_item_that_is_gone_is_told(
    cast: Cast, held: ReviewCycle, now: datetime, swapped: dict[str, str]
) -> None:
    """Another lead removes an item while this one looks at the page of before, on which it has its forms."""
    gone, left = make_proposed(cycle=held, cast=cast, now=now, count=2)
    lead = entered(cast.approver)
    agenda.remove(item=gone, reason="Twice.", by=cast.product, now=met_at(now))
    before = snapshot()
    for item, step, sent, why in (
        (gone, "move", {"position": 1}, "removed from the agenda"),
        (gone, "remove", {"reason": "Seen in May."}, "removed from the agenda"),
        (left, "move", {"position": 2}, "from 1 to 1"),
        (left, "move", {"position": ""}, "required"),
    ):
        answer = lead.post(f"/cycles/{held.quarter}/agenda/{item.pk}/{step}/", sent, headers=swapped)
        page = html_of(answer)
        assert ("This cannot be saved yet." in page, why in page, snapshot() == before) == (True, True, True), step


def test_a_proposal_is_accepted_as_it_was_read_or_not_at_all(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    """The owner of a model changes while a lead reads who is to carry the decision out."""
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    lead, several = entered(cast.approver), f"/cycles/{held.quarter}/meeting/proposals/"
    one, shown = proposals_on(lead, page_of(held, first)), proposals_on(lead, several)
    assert (len(one["seen"]), len(shown["seen"])) == (1, 2)
    ModelAsset.objects.filter(pk=first.asset_id).update(owner=cast.outsider)
    before = snapshot()
    sent = (
        (f"{page_of(held, first)}accept/", one),
        (f"{page_of(held, first)}accept/", {}),
        (several, {"items": [first.pk, second.pk]} | shown),
        (several, {"items": [second.pk]}),
    )
    for address, given in sent:
        status, page = said(lead, address, given)
        assert (status, snapshot() == before) == (409, True)
        assert "is another one now. Read it, then accept." in page
        assert "Outsider" in page
    again = proposals_on(lead, page_of(held, first))
    assert again != one
    assert said(lead, f"{page_of(held, first)}accept/", again)[0] == 302
    assert said(lead, several, {"items": [second.pk]} | shown)[0] == 302
    assert [item.decisions.get().owner for item in (first, second)] == [cast.outsider, cast.author]


def test_a_program_closes_the_meeting_on_the_list_that_it_read(
    cast: Cast, held: ReviewCycle, now: datetime, api: Callable[[User], APIClient]
) -> None:
    """As on the page: if other items are undecided now, nothing is closed."""
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    program, path = api(cast.approver), f"/api/v1/cycles/{held.quarter}/close/"
    shown = [item["id"] for item in program.get(f"/api/v1/cycles/{held.quarter}/").json()["items"]]
    assert shown == [first.pk, second.pk]
    meeting.accept_proposals(items=[first], by=cast.approver, now=met_at(now))
    before = snapshot()
    for stale in (shown, [first.pk], []):
        answer = program.post(path, {"undecided": stale}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "changed")
    for wrong in ("x", [0], ["x"], [None], {"a": 1}):
        assert program.post(path, {"undecided": wrong}, format="json").status_code == 400
    assert api(cast.auditor).post(path, {"undecided": [second.pk]}, format="json").status_code == 403
    assert snapshot() == before
    answer = program.post(path, {"undecided": [second.pk]}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "closed")


@pytest.mark.django_db(transaction=True)
def test_of_two_leads_who_save_notes_at_once_one_is_told(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    write = partial(cycles.write_notes, cycle=held, seen=digest_of(""), now=met_at(now))
    leads = ((cast.approver, "The budget is tight."), (cast.product, "They asked for two weeks."))
    answers = together([partial(write, notes=text, by=by) for by, text in leads])
    (refusal,) = [each for each in answers if isinstance(each, Exception)]
    assert (type(refusal), refusal.code) == (WrongState, "changed")
    (kept,) = [each for each in answers if isinstance(each, ReviewCycle)]
    assert ReviewCycle.objects.get().notes == kept.notes
    assert AuditEvent.objects.filter(kind="cycle.notes_written").count() == 1
