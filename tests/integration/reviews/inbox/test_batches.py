"""Steps for several entries of the inbox at once: each on its own, and what was refused is told by reference."""

from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from governance.findings import actions as findings
from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.inventory.actions.ownership import name_owner
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.queries.people import name_of
from reviews.inbox.web import SELECTED_MAX
from reviews.quarterly.actions import action_items
from reviews.quarterly.models import ActionItem
from tests.factories.cycles import make_action
from tests.factories.models import make_version
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.integration.governance.budgets.audited import changed
from tests.integration.reviews.requests.reading import enter, said
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def take(user: User, step: str, *refs: object, **fields: object) -> list[str]:
    """Take a step for the entries with these references; what the page says then."""
    client = enter(user)
    return said(client.post("/inbox/steps/", {"step": step, "entry": [*map(str, refs)], **fields}, follow=True))


def actions(cast: Cast, now: datetime, count: int) -> list[ActionItem]:
    slugs = [f"model-{number}" for number in range(count)]
    return [make_action(cast=cast, now=now, asset=make_version(by=cast.author, now=now, slug=s).asset) for s in slugs]


def states(items: list[ActionItem]) -> list[str]:
    return [ActionItem.objects.get(pk=item.pk).state for item in items]


def found(due_on: date, count: int, now: datetime) -> list[Finding]:
    sighting = {"kind": "budget.overrun", "subject": "search", "text": "Over.", "severity": Severity.HIGH}
    sightings = [Sighting(**sighting, key=f"k{number}", due_on=due_on) for number in range(count)]
    return [raise_once(sighting=each, by=None, now=now) for each in sightings]


def test_action_items_are_acknowledged_together_and_one_that_was_meanwhile_is_told(cast: Cast, now: datetime) -> None:
    items = actions(cast, now, 3)
    page = html_of(enter(cast.author).get("/"))
    assert page.count('form="inbox-acknowledge"') == 3
    assert "Acknowledge the selected action items" in page
    assert take(cast.author, "acknowledge", items[0].ref, items[1].ref) == ["2 action items are acknowledged."]
    assert states(items) == ["acknowledged", "acknowledged", "open"]
    assert "inbox-acknowledge" not in html_of(enter(cast.author).get("/"))
    action_items.finish(item=items[1], outcome="It is half as dear.", by=cast.author, now=now)
    assert take(cast.author, "acknowledge", items[1].ref, items[2].ref) == [
        "1 action item is acknowledged.",
        (
            f"{items[1].ref}: This action item is done and cannot be reopened; if the matter recurs, the next "
            "meeting decides again."
        ),
    ]
    assert states(items) == ["acknowledged", "done", "acknowledged"]


def test_what_a_person_may_not_acknowledge_stays_as_it_was(cast: Cast, now: datetime) -> None:
    items = actions(cast, now, 2)
    before = snapshot()
    refs = [item.ref for item in items]
    assert take(cast.outsider, "acknowledge", *refs) == [
        f"There is no action item {ref} that you can see." for ref in refs
    ]
    assert take(cast.auditor, "acknowledge", refs[0]) == [
        f"{refs[0]}: Only a platform lead or a product lead may prepare and lead the quarterly review."
    ]
    for step, words in (
        ("acknowledge", "Select at least one action item, and at most 100."),
        ("accept", "Select at least one ownership, and at most 100."),
        ("vote", "Choose a step of the inbox."),
    ):
        assert take(cast.author, step) == [words]
    too_many = [f"ACT-{number}" for number in range(SELECTED_MAX + 1)]
    assert take(cast.author, "acknowledge", *too_many) == ["Select at least one action item, and at most 100."]
    assert snapshot() == before
    assert enter(cast.author).get("/inbox/steps/").status_code == 405


def test_ownerships_are_accepted_together_and_no_other_change_is(cast: Cast, now: datetime) -> None:
    heir = make_person("heir", Role.REQUESTER, team=make_version(by=cast.author, now=now).asset.team, now=now)
    assets = [make_version(by=cast.author, now=now, slug=f"model-{number}").asset for number in range(2)]
    rows = [name_owner(asset=asset, owner=heir, by=cast.author, now=now) for asset in assets]
    assert html_of(enter(heir).get("/")).count('form="inbox-accept"') == 2
    other = changed(cast, now)
    assert 'form="inbox-accept"' not in html_of(enter(cast.finance).get("/"))
    assert take(cast.finance, "accept", other, "CHG-x", "CHG-99999") == [
        f"{other} is not the ownership of a model; read it, and decide it on its page.",
        "'CHG-x' is no change.",
        "CHG-99999: There is no change 99999.",
    ]
    assert take(cast.author, "accept", rows[0])[0].startswith(f"{rows[0]}: ")
    assert set(Change.objects.values_list("state", flat=True)) == {"pending"}
    assert take(heir, "accept", *rows) == ["2 ownerships are accepted."]
    for asset in assets:
        asset.refresh_from_db()
        assert asset.owner == heir


def test_findings_are_assigned_together_by_those_who_may(cast: Cast, now: datetime) -> None:
    due_on = now.date() + timedelta(days=9)
    rows = found(due_on, 3, now)
    page = html_of(enter(cast.finance).get("/"))
    assert (page.count('form="inbox-assign"'), '<option value="finance" selected>' in page) == (3, True)
    fields = {"owner": "finance", "due_on": due_on}
    before = snapshot()
    assert take(cast.author, "assign", *rows, **fields) == [
        "Only a platform lead or finance or an administrator may assign a finding."
    ]
    kept = {"step": "assign", "entry": [str(rows[0]), str(rows[2])], "owner": "author", "due_on": "soon"}
    answer = enter(cast.finance).post("/inbox/steps/", kept)
    page = html_of(answer)
    assert (answer.status_code, page.count("checked"), "Enter a valid date." in page) == (400, 2, True)
    assert ('<option value="author" selected>' in page, 'value="soon"' in page) == (True, True)
    assert 'href="?' not in page, "every link of the page leads to the inbox, not to the address of the steps"
    assert snapshot() == before
    findings.close(finding=rows[2], note="It was corrected.", by=cast.admin, now=now)
    assert take(cast.finance, "assign", *rows, rows[0], **fields) == [
        "2 findings are assigned.",
        f"{rows[2]} is closed. A finding cannot be reopened.",
    ]
    assert [Finding.objects.get(pk=row.pk).owner for row in rows] == [cast.finance, cast.finance, None]


def test_a_finding_that_was_assigned_meanwhile_stays_with_its_person(cast: Cast, now: datetime) -> None:
    due_on = now.date() + timedelta(days=9)
    rows = found(due_on, 3, now)
    findings.assign(finding=rows[0], owner=cast.author, due_on=due_on, by=cast.admin, now=now)
    gone = make_person("gone", Role.AUDITOR, now=now)
    findings.assign(finding=rows[1], owner=gone, due_on=due_on, by=cast.admin, now=now)
    gone.is_active = False
    gone.save()
    assert take(cast.finance, "assign", *rows, owner="finance", due_on=due_on) == [
        "2 findings are assigned.",
        f"Meanwhile {name_of(cast.author)} is responsible for {rows[0]}.",
    ]
    assert [Finding.objects.get(pk=row.pk).owner for row in rows] == [cast.author, cast.finance, cast.finance]
