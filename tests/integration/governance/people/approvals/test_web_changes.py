"""The pages of changes: what waits, what it would change, and the second person's yes or no."""

import pytest

from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from tests.factories.changes import REASON, propose
from tests.factories.people import make_person
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import said, words
from tests.pages import html_of


@pytest.fixture
def second(cast, now):
    return make_person("second.admin", Role.ADMIN, now=now)


@pytest.fixture
def change(policy, approver, now):
    """A looser policy, written and proposed by the platform lead."""
    draft = rulebook.draft_policy(source=looser(policy), by=approver, now=now)
    return propose(version=draft, by=approver, now=now)


def looser(policy):
    return policy.source.replace("limit: 200", "limit: 500")


def wish(cast, **changes):
    return {"user": cast.author.username, "role": "reviewer", "reason": REASON} | changes


def test_nothing_waits(as_, admin):
    page = words(as_(admin).get("/changes/"))
    assert "No open changes" in page
    assert "No closed changes" in page


def test_what_waits_is_listed_with_its_reason(as_, change, auditor):
    page = as_(auditor).get("/changes/")
    assert f'href="/changes/{change.pk}/"' in html_of(page)
    assert "Publish the policy default v2" in words(page)
    assert REASON in page.content.decode().replace("&#x27;", "'")
    assert "Propose a role" not in words(page)


@pytest.mark.parametrize("person", ["author", "reviewer_one", "finance", "outsider"])
def test_whoever_may_not_read_them_learns_nothing(as_, cast, change, person):
    client, before = as_(getattr(cast, person)), snapshot()
    assert "No open changes" in words(client.get("/changes/"))
    for path in (f"/changes/{change.pk}/", "/changes/99999/"):
        assert client.get(path).status_code == 404
    assert client.post("/changes/", wish(cast)).status_code == 403
    for path in (f"/changes/{change.pk}/confirm/", f"/changes/{change.pk}/refuse/"):
        assert client.post(path, wish(cast)).status_code == 404
    assert snapshot() == before


def test_the_second_person_sees_the_difference_and_confirms(as_, change, admin):
    client = as_(admin)
    page = client.get(f"/changes/{change.pk}/")
    assert [each.path for each in page.context["differences"]] == ["rules[training-gpu-hours].limit"]
    assert "Can be confirmed by Admin." in words(page)
    page = client.post(f"/changes/{change.pk}/confirm/", follow=True)
    assert said(page) == [f"{change} is confirmed and in force."]
    assert PolicyVersion.objects.get(state="published").number == 2
    assert "Confirmed" in words(page)
    assert change.description in words(client.get("/changes/"))


def test_the_first_person_cannot_and_is_told_who_can(as_, policy, change, approver, admin, second, now):
    page = as_(approver).get(f"/changes/{change.pk}/")
    assert page.context["cannot_confirm"] == "Only an administrator may confirm a change."
    assert "Can be confirmed by Admin, Second Admin." in words(page)
    assert "Withdraw" in words(page)
    draft = rulebook.draft_policy(source=looser(policy), by=admin, now=now)
    own = propose(version=draft, by=admin, now=now)
    page = as_(admin).post(f"/changes/{own.pk}/confirm/", follow=True)
    assert said(page) == ["You proposed this change; another administrator must confirm it."]
    assert PolicyVersion.objects.get(state="published").number == 1


def test_where_nobody_can_confirm_the_page_says_what_to_do(as_, policy, admin, now):
    own = propose(version=rulebook.draft_policy(source=looser(policy), by=admin, now=now), by=admin, now=now)
    page = words(as_(admin).get(f"/changes/{own.pk}/"))
    assert "No one can confirm this now." in page
    assert "manage.py grant USER admin" in page


def test_refusing_needs_a_reason_and_changes_nothing(as_, change, admin):
    client = as_(admin)
    page = client.post(f"/changes/{change.pk}/refuse/", {"reason": "no"})
    assert page.status_code == 400
    assert page.context["form"]["reason"].value() == "no"
    assert "Give a reason of 10 to 2,000 characters." in words(page)
    page = client.post(f"/changes/{change.pk}/refuse/", {"reason": "Too loose for this quarter."}, follow=True)
    assert said(page) == [f"{change} is refused. Nothing was changed."]
    assert "Too loose for this quarter." in words(page)
    assert PolicyVersion.objects.get(state="published").number == 1
    page = client.post(f"/changes/{change.pk}/confirm/", follow=True)
    assert said(page) == [f"{change} is refused. Propose it again if it is still needed."]


@pytest.mark.parametrize(
    ("reason", "told"),
    [("A null\x00 in the middle.", "Null characters are not allowed."), ("x" * 2001, "at most 2000 characters")],
)
def test_a_reason_that_cannot_be_kept_is_refused(as_, change, admin, approver, now, reason, told):
    before = snapshot()
    page = as_(admin).post(f"/changes/{change.pk}/refuse/", {"reason": reason})
    assert told in words(page)
    page = as_(admin).post("/rulebook/policies/default/2/propose/", {"reason": reason}, follow=True)
    assert told in said(page)[0]
    assert snapshot() == before


def test_the_proposer_withdraws(as_, change, approver):
    page = as_(approver).post(f"/changes/{change.pk}/refuse/", {"reason": "I found a mistake."}, follow=True)
    assert said(page) == [f"{change} is withdrawn. Nothing was changed."]


def test_a_role_is_proposed_by_one_and_confirmed_by_another(as_, cast, second):
    client = as_(cast.admin)
    page = client.post("/changes/", wish(cast), follow=True)
    change = Change.objects.get()
    assert page.redirect_chain == [(f"/changes/{change.pk}/", 302)]
    assert "Give Author the role reviewer" in words(page)
    assert "Current roles Requester Would be given Reviewer" in words(page)
    assert not RoleGrant.objects.filter(user=cast.author, role="reviewer").exists()
    as_(second).post(f"/changes/{change.pk}/confirm/")
    assert RoleGrant.objects.filter(user=cast.author, role="reviewer").exists()
    assert "Was given" in words(client.get(f"/changes/{change.pk}/"))


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"user": "admin"}, "__all__", "You cannot grant or revoke your own roles"),
        ({"user": "nobody"}, "user", "valid choice"),
        ({"role": "auditor"}, "role", "valid choice"),
        ({"user": "finance", "role": "finance"}, "role", "finance already has that role."),
        ({"reason": "because"}, "reason", "Give a reason of 10 to 2,000 characters."),
        ({"reason": ""}, "reason", "Give a reason of 10 to 2,000 characters."),
    ],
)
def test_a_faulty_proposal_is_refused_beside_its_field(as_, cast, changes, field, reason):
    before = snapshot()
    page = as_(cast.admin).post("/changes/", wish(cast, **changes))
    assert page.status_code in {400, 403}
    assert reason in page.context["form"].errors[field][0]
    assert snapshot() == before


def test_only_administrators_propose_a_role(as_, cast):
    before = snapshot()
    for person in (cast.approver, cast.auditor):
        page = as_(person).post("/changes/", wish(cast))
        assert page.status_code == 403
    assert snapshot() == before


def test_a_change_that_is_not_there(as_, admin):
    assert as_(admin).get("/changes/4711/").status_code == 404
    assert as_(admin).post("/changes/4711/confirm/").status_code == 404
    assert as_(admin).get("/changes/1/confirm/").status_code == 405


def test_the_navigation_shows_them_to_whoever_may_read(as_, cast):
    shown = [
        name
        for name in ("approver", "admin", "auditor", "author", "finance")
        if 'href="/changes/"' in html_of(as_(getattr(cast, name)).get("/rulebook/"))
    ]
    assert shown == ["approver", "admin", "auditor"]
