"""The pages of findings: what is refused keeps what was typed, and several are assigned at once or not at all."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.notifications.models import Notification
from governance.people.queries.people import name_of
from tests.factories.snapshots import snapshot
from tests.pages import html_of
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.errors import NotAllowed, WrongState


def sight(number, now):
    sighting = Sighting(kind="drift", subject=f"S{number}", text="Slower.", severity=Severity.LOW, key=str(number))
    return findings.raise_once(sighting=sighting, by=None, now=now)


@pytest.fixture
def client(finance):
    found = Client()
    found.force_login(finance)
    return found


@pytest.fixture
def two(db, now):
    return sight(1, now), sight(2, now)


@pytest.fixture
def sent(two, now):
    """Both findings, for the author, due today."""
    return {"finding": [f"{row.pk}:" for row in two], "owner": "author", "due_on": str(now.date())}


def owners():
    return list(Finding.objects.order_by("pk").values_list("owner__username", flat=True))


def test_two_findings_are_assigned_and_the_list_stays_filtered(client, author, sent):
    address = "/findings/?state=open&owner=none&page=1"
    answer = client.post(address, sent)
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert owners() == ["author", "author"]
    page = client.get(address)
    assert [str(each) for each in page.context["messages"]] == ["Author is now responsible for 2 findings."]


def test_one_finding_is_assigned_to_oneself(client, finance, sent, two):
    client.post("/findings/", sent | {"finding": two[0].pk, "owner": "finance"})
    assert owners() == ["finance", None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"finding": []}, "Select at least one finding."),
        ({"finding": ["x1"]}, "is no number of a finding."),
        ({"finding": ["999999999"]}, "There is no finding 999999999."),
        ({"owner": "nobody"}, "Select a valid choice."),
        ({"due_on": "soon"}, "Enter a valid date."),
        ({"due_on": "2020-01-01"}, "The due date of a finding must not be in the past."),
    ],
)
def test_a_selection_that_is_refused_is_shown_again(client, author, sent, change, reason):
    before, given = snapshot(), sent | change
    answer = client.post("/findings/?state=open", given)
    assert 400 <= answer.status_code < 500
    assert snapshot() == before
    html = html_of(answer)
    assert reason in html
    assert answer.context["assign_selected"]["due_on"].value() == given["due_on"]
    assert html.count("checked") == len(set(given["finding"]) & set(sent["finding"]))
    assert answer.context["is_filtered"]


def test_with_one_closed_none_is_assigned(client, author, finance, sent, two, now):
    findings.close(finding=two[1], note="Repaired.", by=finance, now=now)
    before = snapshot()
    answer = client.post("/findings/", sent)
    assert (answer.status_code, snapshot()) == (409, before)
    assert f"{two[1]} is closed. A finding cannot be reopened." in html_of(answer)


def told():
    return sorted(Notification.objects.values_list("person__username", "sentence"))


def test_what_was_assigned_meanwhile_is_not_assigned_to_another(client, author, finance, admin, sent, two, now):
    assert html_of(client.get("/findings/")).count(f'value="{two[1].pk}:"') == 1
    findings.assign(finding=two[1], owner=admin, due_on=now.date(), by=finance, now=now)
    before = snapshot()
    answer = client.post("/findings/", sent)
    assert (answer.status_code, snapshot()) == (409, before)
    page = html_of(answer)
    assert f"Meanwhile {name_of(admin)} is responsible for {two[1]}. Load the page again." in page
    assert page.count("checked") == 1, "the other finding stays selected"
    assert client.post("/findings/", sent | {"finding": [f"{two[1].pk}:{'9' * 5000}"]}).status_code == 409
    assert snapshot() == before
    chosen = [f"{two[0].pk}:", f"{two[1].pk}:{admin.pk}"]
    assert client.post("/findings/", sent | {"finding": chosen}).status_code == 302
    assert owners() == ["author", "author"]


def test_one_that_was_assigned_meanwhile_is_not_taken_away(client, author, finance, admin, two, now):
    row, address = two[0], f"/findings/{two[0].pk}/"
    given = {"owner": "author", "due_on": str(now.date()), "seen_owner": ""}
    assert 'name="seen_owner"' in html_of(client.get(address))
    assert client.get(address).context["row"]["assign"]["seen_owner"].value() is None
    findings.assign(finding=row, owner=admin, due_on=now.date(), by=finance, now=now)
    before = snapshot()
    for stale in (given, given | {"seen_owner": str(author.pk)}, given | {"seen_owner": "9" * 40}):
        answer = client.post(f"{address}assign/", stale)
        assert (answer.status_code, snapshot()) == (409, before)
        assert f"Meanwhile {name_of(admin)} is responsible for {row}. Load the page again." in html_of(answer)
    assert client.post(f"{address}assign/", given | {"seen_owner": "9" * 5000}).status_code == 400
    assert owners() == ["admin", None]
    fresh = client.get(address).context["row"]["assign"]["seen_owner"].value()
    assert client.post(f"{address}assign/", given | {"seen_owner": fresh}).status_code == 302
    assert client.post(f"{address}assign/", given).status_code == 302, "the same person takes nothing away"
    assert owners() == ["author", None]


def test_whoever_was_responsible_before_closes_no_more(author, admin, finance, two, now):
    findings.assign(finding=two[0], owner=author, due_on=now.date(), by=finance, now=now)
    stale = Finding.objects.get(pk=two[0].pk)
    findings.assign(finding=stale, owner=admin, due_on=now.date(), by=finance, now=now)
    assert stale.owner == author
    with refused(NotAllowed, match="close another person's finding"):
        findings.close(finding=stale, note="Repaired.", by=author, now=now)
    assert findings.close(finding=stale, note="Repaired.", by=admin, now=now).closed_by == admin


def test_one_that_lost_its_owner_meanwhile_is_told(finance, author, admin, two, now):
    given = {"owner": author, "due_on": now.date(), "by": finance, "now": now}
    with refused(WrongState, match=f"Meanwhile nobody is responsible for {two[0]}."):
        findings.assign_all(findings=two, seen_owners={two[0].pk: admin.pk, two[1].pk: None}, **given)


def test_whoever_was_responsible_is_told_of_the_next_person(author, finance, admin, two, now):
    for owner in (author, author, admin):
        findings.assign(finding=two[0], owner=owner, due_on=now.date(), by=finance, now=now)
        now += timedelta(seconds=1)
    assert told() == [
        (admin.username, "S1: Slower."),
        (author.username, f"{name_of(admin)} is responsible for it now."),
        (author.username, "S1: Slower."),
    ]


def test_only_who_may_assign_assigns_several(author, sent):
    stranger, before = Client(), snapshot()
    stranger.force_login(author)
    assert stranger.post("/findings/", sent).status_code == 403
    assert snapshot() == before


def test_what_is_refused_stays_in_the_form(client, two, finance, now):
    address, given = f"/findings/{two[0].pk}", {"owner": "finance", "due_on": "2020-01-01"}
    before = snapshot()
    answer = client.post(f"{address}/close/", {"note": "no"})
    assert (answer.status_code, snapshot()) == (400, before)
    assert answer.context["row"]["close"]["note"].value() == "no"
    answer = client.post(f"{address}/assign/", given)
    assert (answer.status_code, snapshot()) == (400, before)
    assert {name: answer.context["row"]["assign"][name].value() for name in given} == given


def test_a_finding_that_was_closed_meanwhile_says_so(client, two, finance, now):
    findings.close(finding=two[0], note="Repaired.", by=finance, now=now)
    before = snapshot()
    due = {"owner": "finance", "due_on": str(now.date())}
    for step, given in (("close", {"note": "Repaired twice."}), ("assign", due)):
        answer = client.post(f"/findings/{two[0].pk}/{step}/", given)
        assert (answer.status_code, snapshot()) == (409, before)
        assert "A finding cannot be reopened." in html_of(answer)


def test_a_line_break_is_one_character_as_in_the_browser(client, two):
    client.post(f"/findings/{two[0].pk}/close/", {"note": "a\r\n" * 1_000})
    two[0].refresh_from_db()
    assert two[0].closing_note == ("a\n" * 1_000).strip()


@pytest.mark.django_db(transaction=True)
def test_selections_that_overlap_wait_for_each_other(cast, now):
    rows = [sight(number, now) for number in range(12)]
    orders = [rows, rows[::-1], rows[6:] + rows[:6], rows[5::-1] + rows[6:]]
    due = now.date() + timedelta(days=9)
    seen = {row.pk: None for row in rows}
    assign = partial(findings.assign_all, seen_owners=seen, owner=cast.author, due_on=due, by=cast.finance, now=now)
    assert together([partial(assign, findings=order) for order in orders]) == [None] * 4
    assert owners() == ["author"] * 12
