"""A quarterly review with very many items: its page shows each list in pages, and every step leads back to its item."""

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from reviews.quarterly.actions import cycles
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ActionItem, AgendaItem, MeetingDecision, ReviewCycle
from reviews.quarterly.web.cycles import PAGE_SIZE
from tests.factories.cycles import make_action, make_cycle, make_item, met_at, next_quarter
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.masses import analyze, asked, multiply, search_entered_at_the_end
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fill(item: AgendaItem, count: int, **columns: str) -> None:
    """Copies of the item behind it."""
    last = AgendaItem.objects.latest("position").position
    named = {"title": f"'Item {last} ' || n", "subject": f"'many {last} ' || n", "position": f"{last} + n"}
    multiply(item, count=count, **(named | columns))
    analyze()


@pytest.fixture
def item(cast: Cast, now: datetime) -> AgendaItem:
    return make_item(cycle=make_cycle(now=now), by=cast.approver, now=now)


def shown(lead: Client, path: str, name: str = "agenda") -> list[str]:
    """The titles of a list on a page."""
    return [getattr(each, "title", each) for each in lead.get(path).context["pages"][name]]


def test_every_item_is_on_one_page_of_the_agenda(cast: Cast, item: AgendaItem) -> None:
    fill(item, 2 * PAGE_SIZE)
    lead, base = entered(cast.approver), f"/cycles/{item.cycle.quarter}/"
    page = html_of(lead.get(base))
    assert "of 101 items" in page
    assert f'href="{base}?page=2&amp;part=agenda#agenda"' in lead.get(base).content.decode()
    titles = [title for number in (1, 2, 3) for title in shown(lead, f"{base}?part=agenda&page={number}")]
    assert titles == list(AgendaItem.objects.values_list("title", flat=True))
    assert len(titles) == 101
    assert shown(lead, f"{base}?part=scorecard&page=3") == titles[:PAGE_SIZE]
    assert 'max="101"' in lead.get(base).content.decode()


def test_a_moved_item_is_shown_where_it_is_now(cast: Cast, item: AgendaItem) -> None:
    fill(item, 2 * PAGE_SIZE)
    lead, base = entered(cast.approver), f"/cycles/{item.cycle.quarter}/"
    answer = lead.post(f"{base}agenda/{item.pk}/move/", {"position": 60})
    assert answer.headers["Location"] == f"{base}?part=agenda&page=2#item-{item.pk}"
    assert item.title in shown(lead, answer.headers["Location"].partition("#")[0])
    answer = lead.post(f"{base}agenda/{item.pk}/move/", {"position": 101}, headers={"HX-Request": "true"})
    assert [each.view.title for each in answer.context["items"]] == [item.title]
    assert f'id="item-{item.pk}"' in answer.content.decode()
    answer = lead.post(f"{base}agenda/{item.pk}/move/", {"position": 50})
    assert answer.headers["Location"] == f"{base}#item-{item.pk}"


def test_a_refused_step_shows_the_page_of_its_item_with_what_was_typed(cast: Cast, item: AgendaItem) -> None:
    fill(item, 2 * PAGE_SIZE)
    lead, base = entered(cast.approver), f"/cycles/{item.cycle.quarter}/"
    late = AgendaItem.objects.order_by("position")[70]
    answer = lead.post(f"{base}agenda/{late.pk}/remove/", {"reason": ""})
    assert (answer.status_code, answer.context["misplaced"]) == (400, None)
    assert f'href="{base}?page=3&amp;part=agenda#agenda"' in answer.content.decode()
    (found,) = [each for each in answer.context["items"] if each.view.id == late.pk]
    assert found.remove.errors == {"reason": ["This field is required."]}
    answer = lead.post(f"{base}agenda/{late.pk}/move/", {"position": 900})
    assert answer.status_code == 400
    assert late.title in [each.view.title for each in answer.context["items"]]
    assert answer.context["misplaced"].errors == {"position": ["The position must be a number from 1 to 101."]}
    answer = lead.post(f"{base}agenda/{late.pk}/remove/", {"reason": "Not now."})
    assert answer.headers["Location"] == f"{base}?part=agenda&page=2#agenda"
    refused = lead.post(f"{base}agenda/{late.pk}/remove/", {"reason": "Again."})
    assert refused.context["misplaced"] is not None
    assert refused.context["pages"]["agenda"].number == 2


def test_an_added_item_is_shown_on_the_last_page(cast: Cast, item: AgendaItem) -> None:
    fill(item, 2 * PAGE_SIZE)
    lead, base = entered(cast.approver), f"/cycles/{item.cycle.quarter}/"
    answer = lead.post(f"{base}agenda/", {"title": "The bidder", "reason": "It is dear."})
    assert answer.headers["Location"] == f"{base}?part=agenda&page=3#agenda"
    assert shown(lead, answer.headers["Location"].partition("#")[0])[-1] == "The bidder"
    refused = lead.post(f"{base}agenda/", {"title": "", "reason": "It is dear."})
    assert (refused.status_code, list(refused.context["forms"]["add"].errors)) == (400, ["title"])


def test_what_was_removed_has_pages_and_stays_open_when_it_is_turned(cast: Cast, item: AgendaItem) -> None:
    removed = {"removed_at": "added_at", "removed_by_id": "added_by_id", "removal_reason": "'Not now ' || n"}
    fill(item, PAGE_SIZE + 5, **removed)
    lead, base = entered(cast.approver), f"/cycles/{item.cycle.quarter}/"
    assert "Removed (55)" in html_of(lead.get(base))
    assert re.search(r'id="removed"\s*>', lead.get(base).content.decode())
    second = lead.get(f"{base}?part=removed&page=2")
    assert [each.removal for each in second.context["pages"]["removed"]] == [f"Not now {n}" for n in range(51, 56)]
    assert re.search(r'id="removed"\s+open', second.content.decode())


def costs(lead: Client, path: str) -> tuple[int, int]:
    lead.get(path)
    with asked() as statements:
        response = lead.get(path)
    assert response.status_code == 200
    return len(statements.statements), len(response.content)


def test_a_closed_meeting_of_very_many_decisions_makes_no_longer_page(cast: Cast, now: datetime) -> None:
    action = make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now).asset)
    decision, cycle = action.decision, action.decision.item.cycle

    def decided(count: int, name: str) -> None:
        fill(decision.item, count)
        first = AgendaItem.objects.latest("pk").pk - count + 1
        multiply(decision, count=count, item_id=f"{first} + n - 1")
        first = MeetingDecision.objects.latest("pk").pk - count + 1
        multiply(action, count=count, decision_id=f"{first} + n - 1", ref=f"'ACT-{name}-' || n")

    lead, base = entered(cast.approver), f"/cycles/{cycle.quarter}/"
    decided(PAGE_SIZE + 10, "few")
    fill(decision.item, PAGE_SIZE + 10)
    digest = "sha256:" + 64 * "0"
    minutes = {"minutes": "# Minutes", "minutes_digest": digest, "closed_by": cast.approver, "closed_at": cycle.held_at}
    ReviewCycle.objects.filter(pk=cycle.pk).update(state="closed", **minutes)
    few = {path: costs(lead, path) for path in (base, f"{base}?part=minutes&page=2", f"{base}?part=undecided&page=2")}
    with search_entered_at_the_end():  # triggers let nobody add items to a closed meeting
        decided(600, "many")
        fill(decision.item, 600)
    for path, (queries, size) in few.items():
        found = costs(lead, path)
        assert found[0] == queries, path
        if "page=2" not in path:
            assert found[1] <= size * 1.05, path
    assert MeetingDecision.objects.filter(kind=DecisionKind.KEEP).count() == ActionItem.objects.count()
    page = lead.get(f"{base}?part=undecided&page=12")
    assert "of 660 items without a decision" in html_of(page)
    assert len(page.context["pages"]["minutes"]) == PAGE_SIZE


def test_earlier_actions_are_the_open_ones_and_those_of_the_meeting_before(cast: Cast, now: datetime) -> None:
    action = make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now).asset)
    cycles.plan(now=next_quarter(now, 2))
    latest = ReviewCycle.objects.order_by("-quarter")[0]
    assert latest.quarter > action.decision.item.cycle.quarter
    path = f"/cycles/{latest.quarter}/"
    lead = entered(cast.approver)
    assert [row.ref for row in lead.get(path).context["view"].before] == [action.ref]
    ActionItem.objects.update(closed_at=now, closed_by=cast.approver, outcome="Done.", state="done")
    assert [row.ref for row in lead.get(path).context["view"].before] == [action.ref]
    held = {"held_at": met_at(now), "chair": cast.approver, "state": "held"}
    between = ReviewCycle.objects.exclude(pk__in=[latest.pk, action.decision.item.cycle_id]).order_by("quarter")[0]
    ReviewCycle.objects.filter(pk=between.pk).update(**held)
    assert list(lead.get(path).context["view"].before) == []
