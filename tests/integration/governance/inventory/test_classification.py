"""A milder tier or another task of a model takes a platform lead from outside its team."""

import pytest

from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.inventory.models import ModelAsset
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from tests.factories.models import make_version
from tests.factories.people import make_person
from tests.standstill import refused
from weighbridge.core.errors import NotAllowed, WrongState

pytestmark = pytest.mark.django_db


def again(cast, now, *, tier="T1", task="classification", by=None):
    """Register the model again with these values."""
    return inventory.register_asset(
        team="search",
        slug="visual-search",
        name="Visual search",
        tier=tier,
        task=task,
        owner=cast.author,
        by=by or cast.author,
        now=now,
    )


def stored():
    return ModelAsset.objects.values_list("tier", "task").get()


@pytest.mark.parametrize(
    ("present", "tier", "task", "counts", "proposed"),
    [
        ("T2", "T1", "classification", ("T1", "classification"), None),
        ("T2", "T2", "classification", ("T2", "classification"), None),
        ("T2", "T3", "classification", ("T2", "classification"), ("T3", "classification")),
        ("T2", "T2", "ranking", ("T2", "classification"), ("T2", "ranking")),
        ("T2", "T1", "ranking", ("T1", "classification"), ("T1", "ranking")),
        ("T2", "T3", "ranking", ("T2", "classification"), ("T3", "ranking")),
    ],
)
def test_what_counts_at_once_and_what_is_proposed(cast, now, present, tier, task, counts, proposed):
    make_version(by=cast.author, tier=present, now=now)
    assert again(cast, now, tier=tier, task=task).tier == counts[0]
    assert stored() == counts
    changes = Change.objects.filter(kind=Changed.TIER_OR_TASK)
    if proposed is None:
        assert not changes.exists()
        return
    (change,) = changes
    assert (change.details["after"]["tier"], change.details["after"]["task"]) == proposed
    again(cast, now, tier=tier, task=task)
    assert changes.count() == 1
    approvals.confirm(change=change, by=cast.approver, now=now)
    assert stored() == proposed
    event = AuditEvent.objects.get(kind="model.reclassified")
    assert (event.subject, event.details["after"]) == ("search/visual-search", change.details["after"])


def test_a_model_without_versions_takes_any_classification(cast, now):
    again(cast, now)
    again(cast, now, tier="T3", task="ranking")
    assert stored() == ("T3", "ranking")
    assert not Change.objects.exists()


def test_only_a_platform_lead_from_outside_the_team_confirms(cast, team, now):
    make_version(by=cast.author, now=now)
    again(cast, now, tier="T3")
    change = Change.objects.get()
    mate = make_person("mate", Role.REQUESTER, team=team, now=now)
    own_lead = make_person("own_lead", Role.PLATFORM_LEAD, Role.REQUESTER, team=team, now=now)
    for person in (
        cast.author,
        mate,
        cast.reviewer_one,
        cast.finance,
        cast.admin,
        cast.auditor,
        cast.outsider,
        own_lead,
    ):
        with refused(NotAllowed):
            approvals.confirm(change=change, by=person, now=now)
    approvals.refuse(change=change, reason="It serves customers.", by=cast.approver, now=now)
    assert stored() == ("T1", "classification")


def test_a_confirmation_of_what_changed_meanwhile_is_refused(cast, now):
    make_version(by=cast.author, tier="T2", now=now)
    again(cast, now, tier="T3")
    again(cast, now, tier="T1")
    with refused(WrongState, match="The model is T1, classification by now"):
        approvals.confirm(change=Change.objects.get(), by=cast.approver, now=now)


def test_another_wish_waits_until_the_first_is_settled(cast, now):
    make_version(by=cast.author, tier="T1", now=now)
    again(cast, now, tier="T3")
    with refused(WrongState, code="already_open"):
        again(cast, now, tier="T2")


def test_the_change_is_seen_with_its_model(cast, now, as_, api):
    make_version(by=cast.author, now=now)
    again(cast, now, tier="T3", task="ranking")
    change = Change.objects.get()
    page = as_(cast.author).get(f"/changes/{change.pk}/")
    assert page.status_code == 200
    assert "T3, ranking" in page.content.decode()
    assert as_(cast.outsider).get(f"/changes/{change.pk}/").status_code == 404
    answer = api(cast.approver).get("/api/v1/changes/", {"kind": "tier_or_task"})
    assert [row["ref"] for row in answer.json()["results"]] == [str(change)]
