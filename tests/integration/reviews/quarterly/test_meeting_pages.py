"""The meeting one item at a time: what stands on its pages, where a decision leads, and how the meeting ends."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.inventory.models import ModelAsset
from governance.rulebook.models import PolicyVersion
from reviews.quarterly.actions import agenda, cycles, meeting, quarterly_packets
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.decisions import DecisionKind, TakenDecision
from reviews.quarterly.models import AgendaItem, MeetingDecision, ReviewCycle
from reviews.quarterly.queries.item_evidence import evidence_of
from reviews.quarterly.queries.meeting_page import MeetingClock, first_open
from tests.factories import cycles as quarters
from tests.factories import requests as walks
from tests.factories.cycles import decided, make_cycle, make_frozen, make_held, make_item, make_proposed, met_at
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.quarterly.test_cycle import refused
from tests.integration.reviews.quarterly.test_pages import entered, said
from tests.pages import html_of
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast: Cast, now: datetime) -> ReviewCycle:
    return make_held(cast=cast, now=now)


@pytest.fixture
def lead(cast: Cast) -> Client:
    return entered(cast.approver)


def form(now: datetime, **changes: str) -> dict[str, str]:
    fields = {
        "kind": "optimize",
        "rationale": "It costs more than it gains.",
        "owner": "author",
        "due_on": (now.date() + timedelta(days=20)).isoformat(),
    }
    return fields | changes


def page_of(cycle: ReviewCycle, item: AgendaItem) -> str:
    return f"/cycles/{cycle.quarter}/meeting/{item.pk}/"


def proposals_on(client: Client, address: str) -> dict[str, list[str]]:
    """What the page sends back to say which proposals it showed."""
    return {"seen": re.findall(r'name="seen"\s+value="([^"]+)"', html_of(client.get(address)))}


def test_the_meeting_opens_its_first_undecided_item(cast: Cast, held: ReviewCycle, lead: Client, now: datetime) -> None:
    start = f"/cycles/{held.quarter}/meeting/"
    assert lead.get(start).url == f"/cycles/{held.quarter}/#agenda"
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    assert lead.get(start).url == page_of(held, first)
    assert lead.get(f"{start}?view=presenter").url == f"{page_of(held, first)}?view=presenter"
    meeting.accept_proposals(items=[first], by=cast.approver, now=met_at(now))
    assert lead.get(start).url == page_of(held, second)
    meeting.accept_proposals(items=[second], by=cast.approver, now=met_at(now))
    assert lead.get(start).url == page_of(held, first)


def test_after_a_decision_the_next_undecided_item_opens(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    first, second, third = make_proposed(cycle=held, cast=cast, now=now, count=3)
    answer = lead.post(f"{page_of(held, second)}decisions/", form(now))
    assert answer.url == page_of(held, third)
    page = said(lead, answer.url)[1]
    assert "Decided: Model number 2." in page
    assert ("Item 3 of 3." in page, "1 of 3 decided, 1 action" in page) == (True, True)
    assert lead.post(f"{page_of(held, third)}decisions/", form(now)).url == page_of(held, first)
    assert lead.post(f"{page_of(held, first)}decisions/", form(now)).url == f"/cycles/{held.quarter}/close/"


def test_a_refused_decision_keeps_the_text_beside_its_field(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1, kind=AgendaKind.SAVING_FOUND)
    before = snapshot()
    status, page = said(lead, f"{page_of(held, item)}decisions/", form(now, rationale="Too slow"))
    assert (status, "in at least 10 characters" in page, "Too slow</textarea>" in page) == (
        400,
        True,
        True,
    )
    assert page.index("in at least 10 characters") > page.index('for="decide-rationale"')
    assert "autofocus" in page[page.index('id="decide-rationale"') - 200 : page.index('id="decide-rationale"') + 100]
    assert page.count("autofocus") == 1
    assert snapshot() == before


def test_the_page_starts_with_the_proposal_and_labels_the_reason_as_needed(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    (keep,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    (find,) = make_proposed(cycle=held, cast=cast, now=now, count=1, kind=AgendaKind.SAVING_FOUND)
    page = said(lead, page_of(held, keep))[1]
    assert "Accept the proposal" in page
    assert '<option value="keep" selected' in page
    page = said(lead, page_of(held, find))[1]
    assert "Accept the proposal" not in page
    assert ('<option value="optimize" selected' in page, '<option value="author" selected' in page) == (True, True)
    due_on = (timezone.now().date() + timedelta(days=30)).isoformat()
    assert f'value="{due_on}"' in page[page.index('id="decide-due_on"') - 200 :][:400]
    label = page[page.index('for="decide-rationale"') :][:120]
    assert "optional" not in label


def test_a_proposal_of_a_page_that_is_out_of_date_decides_nothing(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    first, second, third = make_proposed(cycle=held, cast=cast, now=now, count=3)
    assert f'action="{page_of(held, first)}accept/"' in said(lead, page_of(held, first))[1]
    shown = proposals_on(lead, page_of(held, first))
    lead.post(f"{page_of(held, first)}decisions/", form(now, kind="retire", rationale="Nobody uses it any more."))
    agenda.remove(item=second, reason="It was added twice.", by=cast.approver, now=met_at(now))
    before = snapshot()
    status, page = said(lead, f"{page_of(held, first)}accept/", shown)
    assert (status, "was decided meanwhile" in page) == (409, True)
    for stale in (second, AgendaItem.objects.get(pk=first.pk)):
        stale.removed_at = None
        with pytest.raises(Refused):
            meeting.accept_proposals(items=[stale], by=cast.approver, now=met_at(now))
    taken = TakenDecision(kind=DecisionKind.KEEP, rationale="", owner=cast.author, due_on=now.date())
    with pytest.raises(WrongState, match="removed from the agenda"):
        meeting.decide(item=second, decided=taken, by=cast.approver, now=met_at(now))
    assert snapshot() == before
    shown = proposals_on(lead, page_of(held, third))
    assert lead.post(f"{page_of(held, third)}accept/", shown).url == f"/cycles/{held.quarter}/close/"
    assert third.decisions.get().kind == "keep"


def test_who_may_decide_what_stands_on_the_page(cast: Cast, held: ReviewCycle, lead: Client, now: datetime) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    bare = make_item(cycle=held, by=cast.approver, now=now)
    assert "no decision is possible" in said(lead, page_of(held, bare))[1]
    ModelAsset.objects.filter(pk=item.asset_id).update(owner=cast.approver)
    assert "This is your own model" in said(lead, page_of(held, item))[1]
    marks, end = proposals_on(lead, f"/cycles/{held.quarter}/meeting/proposals/"), f"/cycles/{held.quarter}/close/"
    steps = (
        (f"{page_of(held, item)}decisions/", form(now)),
        (f"{page_of(held, item)}accept/", marks),
        (end, {"undecided": f"{item.pk},{bare.pk}"}),
        (f"/cycles/{held.quarter}/meeting/proposals/", {"items": [item.pk]} | marks),
    )
    for user in (cast.auditor, cast.finance):
        client = entered(user)
        status, page = said(client, page_of(held, item))
        assert (status, "Decide" in page, "Record attendance" in page) == (200, False, False)
        assert {said(client, address)[0] for address in (end, f"/cycles/{held.quarter}/meeting/proposals/")} == {403}
        before = snapshot()
        assert [said(client, address, given)[0] for address, given in steps] == [403] * len(steps)
        assert snapshot() == before
    meeting.remove_attendance(cycle=held, person=cast.product, by=cast.approver, now=met_at(now))
    page = said(entered(cast.product), page_of(held, item))[1]
    assert ("Only a lead who is present can decide" in page, "There is no quorum" in page) == (True, True)
    assert said(entered(cast.author), page_of(held, item))[0] == 404


def test_an_item_that_left_the_agenda_is_gone(cast: Cast, held: ReviewCycle, lead: Client, now: datetime) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    agenda.remove(item=item, reason="Not now.", by=cast.approver, now=met_at(now))
    status, page = said(lead, page_of(held, item))
    assert (status, "was removed from the agenda" in page) == (404, True)
    assert said(lead, f"{page_of(held, item)}decisions/", form(now))[0] == 404
    assert said(lead, f"/cycles/{held.quarter}/meeting/999999/")[0] == 404


def test_attendance_and_minutes_are_kept_on_the_page_of_the_item(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    base = page_of(held, item)
    assert lead.post(f"{base}attendance/leave/", {"person": "product"}).url == f"{base}#attendance"
    assert "There is no quorum" in said(lead, base)[1]
    assert lead.post(f"{base}attendance/", {"person": "product", "side": "product"}).url == f"{base}#attendance"
    assert "There is a quorum" in said(lead, base)[1]
    assert said(lead, f"{base}attendance/", {"person": "auditor", "side": "product"})[0] == 403
    assert lead.post(f"{base}pace/", {"minutes_per_item": "3"}).url == f"{base}#clock"
    held.refresh_from_db()
    assert held.minutes_per_item == 3
    before = snapshot()
    for wrong in ("0", "121", "", "x"):
        assert said(lead, f"{base}pace/", {"minutes_per_item": wrong})[0] == 400
    assert snapshot() == before


def test_a_decision_is_made_on_the_item_as_the_page_showed_it(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime, api: Callable[[User], APIClient]
) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    other, url = entered(cast.product), f"{page_of(held, item)}decisions/"
    shown = {"decisions_seen": "0"}
    for client in (lead, other):
        assert 'name="decisions_seen" value="0"' in html_of(client.get(page_of(held, item)))
    assert other.post(url, form(now, kind="keep", rationale="") | shown).status_code == 302
    before = snapshot()
    status, page = said(lead, url, form(now, rationale="It costs too much by far.") | shown)
    assert (status, snapshot()) == (409, before)
    assert f"“{item.title}” was decided meanwhile. Read the item again." in page
    assert 'name="decisions_seen" value="1"' in page
    assert "It costs too much by far." in page
    program = f"/api/v1/cycles/{held.quarter}/agenda/{item.pk}/decisions/"
    answer = api(cast.approver).post(program, form(now) | {"decisions_seen": 0}, format="json")
    assert (answer.status_code, answer.json()["code"], snapshot()) == (409, "changed", before)
    assert lead.post(url, form(now) | {"decisions_seen": "1"}).status_code == 302
    assert api(cast.approver).post(program, form(now, kind="scale_down"), format="json").status_code == 201
    assert [row.kind for row in item.decisions.order_by("pk")] == ["keep", "optimize", "scale_down"]


@pytest.mark.django_db(transaction=True)
def test_of_two_leads_who_decide_at_once_one_is_told(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    (item,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    taken = {"item": item, "decisions_seen": 0, "now": met_at(now)}
    leads = ((cast.approver, DecisionKind.KEEP), (cast.product, DecisionKind.OPTIMIZE))
    said_by = [(by, decided(cast, now, kind=kind)) for by, kind in leads]
    answers = together([partial(meeting.decide, decided=words, by=by, **taken) for by, words in said_by])
    (refusal,) = [each for each in answers if isinstance(each, Exception)]
    assert (type(refusal), refusal.code) == (WrongState, "changed")
    assert item.decisions.count() == 1


def test_planned_minutes_have_limits_and_end_with_the_cycle(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    at = met_at(now)

    def plan(minutes: int, by: User) -> Callable[[], object]:
        return lambda: cycles.plan_minutes(cycle=held, minutes_per_item=minutes, by=by, now=at)

    refused(plan(0, cast.approver), Invalid, "1 to 120 minutes", field="minutes_per_item")
    refused(plan(121, cast.approver), Invalid, "1 to 120 minutes", field="minutes_per_item")
    refused(plan(4, cast.finance), NotAllowed, "Only a platform lead or a product lead")
    plan(120, cast.product)()
    cycles.close(cycle=held, by=cast.approver, now=at)
    refused(plan(4, cast.approver), WrongState, "is closed and cannot be changed")


def test_the_clock_counts_from_the_opening_and_from_the_latest_decision() -> None:
    start = datetime.fromisoformat("2027-01-12T09:00:00+00:00")
    clock = MeetingClock(
        held_at=start,
        item_since=start + timedelta(minutes=20),
        minutes_per_item=4,
        open_items=7,
        now=start + timedelta(minutes=26, seconds=59),
    )
    assert (clock.minutes_held, clock.minutes_on_item, clock.minutes_left) == (26, 6, 28)
    early = MeetingClock(held_at=start, item_since=start, minutes_per_item=4, open_items=0, now=start - timedelta(1))
    assert (early.minutes_held, early.minutes_on_item, early.minutes_left) == (0, 0, 0)


@pytest.mark.parametrize(
    ("decided_ids", "after", "expected"),
    [
        ([], None, 1),
        ([1], None, 2),
        ([], 1, 2),
        ([2], 1, 3),
        ([3], 2, 1),
        ([1, 2, 3], 2, None),
        ([1], 9, 2),
        ([1, 2], 3, 3),
    ],
)
def test_the_next_undecided_item(decided_ids: list[int], after: int | None, expected: int | None) -> None:
    order = [(pk, pk in decided_ids) for pk in (1, 2, 3)]
    assert first_open(order, after=after) == expected


def test_the_view_for_a_projector_has_no_forms(cast: Cast, held: ReviewCycle, lead: Client, now: datetime) -> None:
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    status, page = said(lead, f"{page_of(held, first)}?view=presenter")
    assert (status, "<form" in page, "<button" in page) == (200, False, False)
    assert f"{page_of(held, second)}?view=presenter" in page
    assert "Proposed: keep." in page


def test_proposals_are_accepted_together_and_audited_each(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    items = make_proposed(cycle=held, cast=cast, now=now, count=3)
    (other,) = make_proposed(cycle=held, cast=cast, now=now, count=1, kind=AgendaKind.SAVING_FOUND)
    url = f"/cycles/{held.quarter}/meeting/proposals/"
    page = said(lead, url)[1]
    assert ([item.title in page for item in items], other.title in page) == ([True] * 3, False)
    before = snapshot()
    assert said(lead, url, {})[0] == 400
    assert said(lead, url, {"items": [other.pk]})[0] == 400
    assert said(lead, url, {"items": "x"})[0] == 400
    assert snapshot() == before
    shown = proposals_on(lead, url)
    answer = lead.post(url, {"items": [items[0].pk, items[1].pk]} | shown)
    assert answer.url == page_of(held, items[2])
    assert list(MeetingDecision.objects.values_list("item", "kind")) == [(items[0].pk, "keep"), (items[1].pk, "keep")]
    events = AuditEvent.objects.filter(kind="cycle.decided")
    assert sorted(event.details["item"] for event in events) == ["Model number 1", "Model number 2"]
    meeting.decide(item=other, decided=decided(cast, now), by=cast.approver, now=met_at(now))
    assert lead.post(url, {"items": [items[2].pk]} | shown).url == f"/cycles/{held.quarter}/close/"
    assert "No proposal can be accepted" in said(lead, url)[1]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, ("Accept 1 proposal<", "0 action items.", "1 item, ", "1 of 1 item has no decision", "1 proposal was")),
        (
            2,
            (
                "Accept 2 proposals<",
                "0 action items.",
                "2 items, ",
                "2 of 2 items have no decision",
                "2 proposals were",
            ),
        ),
    ],
)
def test_one_is_counted_as_one(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime, count: int, words: tuple[str, ...]
) -> None:
    items = make_proposed(cycle=held, cast=cast, now=now, count=count)
    pages = [said(lead, page_of(held, items[0]))[1], said(lead, f"/cycles/{held.quarter}/close/")[1]]
    given = {"items": [item.pk for item in items]} | proposals_on(lead, f"/cycles/{held.quarter}/meeting/proposals/")
    answer = lead.post(f"/cycles/{held.quarter}/meeting/proposals/", given, follow=True)
    pages.append(html_of(answer))
    shown = " ".join(pages)
    assert [text for text in words if text not in shown] == []
    done = "The one item is decided." if count == 1 else "All 2 items are decided."
    assert done in pages[-1]
    assert f"{count} of {count} item{'s'[: count - 1]} decided" in said(lead, f"/cycles/{held.quarter}/")[1]


def test_all_proposals_are_accepted_or_none(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    (other,) = make_proposed(cycle=held, cast=cast, now=now, count=1, kind=AgendaKind.SAVING_FOUND)
    added = make_item(cycle=held, by=cast.approver, now=now)

    def accept(*items: AgendaItem, by: User = cast.approver) -> Callable[[], object]:
        return lambda: meeting.accept_proposals(items=items, by=by, now=met_at(now))

    refused(accept(), Invalid, "at least one item", field="items")
    refused(accept(first, other), WrongState, "has no proposal that needs no reason")
    refused(accept(first, added), WrongState, "has no proposal that needs no reason")
    refused(accept(first, by=cast.finance), NotAllowed, "Only a platform lead or a product lead")
    meeting.decide(item=second, decided=decided(cast, now), by=cast.product, now=met_at(now))
    refused(accept(first, second), WrongState, "was decided meanwhile")
    ModelAsset.objects.filter(pk=first.asset_id).update(owner=cast.outsider)
    first = AgendaItem.objects.get(pk=first.pk)
    cast.outsider.is_active = False
    cast.outsider.save()
    first = AgendaItem.objects.get(pk=first.pk)
    refused(accept(first), WrongState, "has no proposal that needs no reason")


def test_closing_asks_and_says_what_stays_undecided(cast: Cast, held: ReviewCycle, lead: Client, now: datetime) -> None:
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    meeting.accept_proposals(items=[first], by=cast.approver, now=met_at(now))
    url = f"/cycles/{held.quarter}/close/"
    status, page = said(lead, url)
    assert (status, "1 of 2 items has no decision" in " ".join(page.split()), second.title in page) == (
        200,
        True,
        True,
    )
    assert f'name="undecided" value="{second.pk}"' in " ".join(page.split())
    (third,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    before = snapshot()
    for wrong in (str(second.pk), "", f"{second.pk},{first.pk}", "x", "-1", "1" * 40, f"{second.pk},{third.pk},9"):
        status, page = said(lead, url, {"undecided": wrong})
        assert status in {400, 409}
    assert "Read it again, then close." in said(lead, url, {"undecided": str(second.pk)})[1]
    assert said(lead, url, {})[0] == 409
    assert snapshot() == before
    assert "Only the chair can close" in said(entered(cast.product), url)[1]
    assert lead.post(url, {"undecided": f"{third.pk},{second.pk}"}).url == f"/cycles/{held.quarter}/#minutes"
    held.refresh_from_db()
    assert f"## Not decided\n\n- {second.title} (Investment approved this quarter)\n- {third.title}" in held.minutes
    (event,) = AuditEvent.objects.filter(kind="cycle.closed")
    assert event.details["not_decided"] == 2
    assert "This meeting is closed." in said(lead, url)[1]


def test_nothing_is_closed_without_quorum_on_the_page(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    meeting.remove_attendance(cycle=held, person=cast.product, by=cast.approver, now=met_at(now))
    url = f"/cycles/{held.quarter}/close/"
    assert "There is no quorum: a product lead must be present" in " ".join(said(lead, url)[1].split())
    before = snapshot()
    status, page = said(lead, url, {"undecided": ""})
    assert (status, "There is no quorum" in page) == (409, True)
    assert snapshot() == before


def test_minutes_are_headings_and_lists_not_markdown(
    cast: Cast, held: ReviewCycle, lead: Client, now: datetime
) -> None:
    first, second = make_proposed(cycle=held, cast=cast, now=now, count=2)
    AgendaItem.objects.filter(pk=first.pk).update(title="Search 2026Q4 gpu_hours *bold* <b>")
    meeting.decide(item=first, decided=decided(cast, now), by=cast.approver, now=met_at(now))
    agenda.remove(item=second, reason="Not <i>now</i>.", by=cast.approver, now=met_at(now))
    (third,) = make_proposed(cycle=held, cast=cast, now=now, count=1)
    cycles.write_notes(cycle=held, notes="First.\n\n<script>", by=cast.approver, now=met_at(now))
    cycles.close(cycle=held, by=cast.approver, now=met_at(now))
    page = said(lead, f"/cycles/{held.quarter}/")[1]
    minutes = page[page.index('class="minutes') :]
    for words in ("Decisions", "Not decided", "Removed from the agenda", "Notes"):
        assert re.search(f"<h3[^>]*>{words}</h3>", minutes)
    assert "Search 2026Q4 gpu_hours *bold* &lt;b&gt;" in minutes
    assert ("<script>" in minutes, "<i>" in minutes, "\\_" in minutes, third.title in minutes) == (False,) * 3 + (True,)
    held.refresh_from_db()
    assert "### Search 2026Q4 gpu_hours \\*bold\\* \\<b\\>" in held.minutes


@pytest.mark.parametrize("kind", ["cost.breach", "model.retires", "model.retirement_unannounced", "prices.changed"])
def test_an_item_shows_the_findings_of_every_kind_about_its_request(
    policy: PolicyVersion, cast: Cast, now: datetime, kind: str
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    seen = {"subject": f"{request.ref} (AUT-1)", "severity": Severity.HIGH, "source": "prices"}
    raised = [
        raise_once(sighting=Sighting(kind=kind, text=text, key=text, **seen), by=None, now=now) for text in ("a", "b")
    ]
    make_frozen(now=now)
    shown = [[each.ref for each in evidence_of(item).findings] for item in AgendaItem.objects.exclude(subject="")]
    assert [str(each) for each in reversed(raised)] in shown


def test_the_evidence_stands_beside_the_decision(
    policy: PolicyVersion, cast: Cast, lead: Client, now: datetime
) -> None:
    request = walks.make_decided(cast=cast, now=now)
    sighting = Sighting(
        kind="cost.breach",
        subject=f"{request.ref} (AUT-1)",
        text="More was billed than projected.",
        severity=Severity.HIGH,
        key="cost.breach:1",
        source="bills of 2026-10",
    )
    finding = raise_once(sighting=sighting, by=None, now=now)
    cycle = make_frozen(now=now)
    quarterly_packets.issue(cycle=cycle, by=cast.approver, now=met_at(now))
    item = AgendaItem.objects.get(kind=AgendaKind.FORECAST_ERROR)
    evidence = evidence_of(item)
    assert evidence.model is not None
    assert evidence.request is not None
    assert (evidence.request.ref, [each.ref for each in evidence.findings]) == (request.ref, [str(finding)])
    assert (evidence.packet, bool(evidence.figures), bool(evidence.authorization)) == (1, True, True)
    status, page = said(lead, page_of(cycle, item))
    assert (status, "More was billed than projected." in page, "Figures of the model" in page) == (200, True, True)
    lone = Sighting(kind="gpus.unrequested", subject="Somebody", text="Why?", severity=Severity.LOW, key="g:1")
    raise_once(sighting=lone, by=None, now=now)
    fresh = make_frozen(now=quarters.next_quarter(now))
    alone = AgendaItem.objects.get(cycle=fresh, kind=AgendaKind.FINDING)
    assert [each.text for each in evidence_of(alone).findings] == ["Why?"]
    assert evidence_of(alone).model is None
    other = make_item(
        cycle=fresh, by=cast.approver, now=now, asset=make_version(by=cast.author, now=now, slug="x").asset
    )
    quarterly_packets.issue(cycle=fresh, by=cast.approver, now=met_at(quarters.next_quarter(now)))
    new = make_version(by=cast.author, now=now, slug="later").asset
    later = make_item(cycle=fresh, by=cast.approver, now=now, asset=new)
    assert (evidence_of(other).packet, evidence_of(later).packet) == (1, 0)
    long = request.business_case * 100
    type(request).objects.filter(pk=request.pk).update(business_case=long)
    item = AgendaItem.objects.get(pk=item.pk)
    shortened = evidence_of(item).request
    assert shortened is not None
    assert (len(shortened.business_case), shortened.business_case[-1]) == (601, "…")


def test_before_the_meeting_the_items_can_be_read(cast: Cast, lead: Client, now: datetime) -> None:
    cycle = make_cycle(now=now)
    item = make_item(cycle=cycle, by=cast.approver, now=now)
    status, page = said(lead, page_of(cycle, item))
    assert (status, "Decide" in page, "Clock" in page) == (200, False, False)
