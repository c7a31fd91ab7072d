"""Reads of the rulebook: lists, single versions, what is in force and what changed."""

from datetime import datetime, timedelta

import pytest

from governance.rulebook.actions import documents as actions
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.queries import rulebook
from tests.factories.changes import publish
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from weighbridge.core.errors import NotFound

POLICY = LEAN
STRICTER = POLICY.replace("limit: 200", "limit: 100")
HOUR = timedelta(hours=1)


@pytest.fixture
def stricter(cast: Cast, policy: PolicyVersion, now: datetime) -> PolicyVersion:
    """A second version, in force since an hour later."""
    draft = actions.draft_policy(source=STRICTER, by=cast.approver, now=now + HOUR)
    return publish(version=draft, cast=cast, now=now + HOUR)


def test_versions_newest_first_and_who_answers_for_them(cast: Cast, stricter: PolicyVersion, now: datetime) -> None:
    actions.draft_policy(
        source=POLICY.replace("name: default", "name: another\nprecedence: 1"), by=cast.approver, now=now
    )
    rows = rulebook.versions("policies")
    assert [(row.name, row.number, row.state) for row in rows] == [
        ("another", 1, "draft"),
        ("default", 2, "published"),
        ("default", 1, "retired"),
    ]
    assert [(row.written_by, row.published_by) for row in rows] == [
        ("Approver", ""),
        ("Approver", "Admin"),
        ("the installation", "the installation"),
    ]
    assert (rows[1].previous, rows[1].published_at, rows[0].published_at) == (1, now + HOUR, None)
    assert [row.name for row in rulebook.versions("checklists")] == ["standard"]


def test_finding_versions(stricter: PolicyVersion, policy: PolicyVersion, checklist: ChecklistVersion) -> None:
    assert rulebook.find(kind="policies", name="default", number=1) == policy
    assert rulebook.find(kind="checklists", name="standard", number=1) == checklist
    for name, number in (("default", 3), ("nobody", 1)):
        with pytest.raises(NotFound, match=f"There is no version {number} of {name}"):
            rulebook.find(kind="policies", name=name, number=number)
    with pytest.raises(NotFound, match="must be one of policies, checklists, catalogs"):
        rulebook.versions("laws")
    assert rulebook.in_force(kind="policies", name="default") == stricter
    assert rulebook.in_force(kind="policies", name="nobody") is None


def test_what_a_new_draft_starts_from(cast: Cast, now: datetime) -> None:
    assert rulebook.latest("policies") is None
    draft = actions.draft_policy(source=POLICY, by=cast.approver, now=now)
    assert rulebook.latest("policies") == draft
    publish(version=draft, cast=cast, now=now)
    actions.draft_policy(source=STRICTER, by=cast.approver, now=now)
    assert rulebook.latest("policies") == draft


def test_what_changed(policy: PolicyVersion, stricter: PolicyVersion, checklist: ChecklistVersion) -> None:
    changes = rulebook.changes(before=policy, after=stricter)
    assert [(change.path, str(change.before), str(change.after)) for change in changes] == [
        ("rules[training-gpu-hours].limit", "200 GPU h", "100 GPU h")
    ]
    assert rulebook.changes(before=policy, after=policy) == ()
    assert rulebook.changes(before=checklist, after=checklist) == ()
    with pytest.raises(NotFound, match="cannot be compared"):
        rulebook.changes(before=policy, after=checklist)


def test_versions_are_parsed(policy: PolicyVersion, checklist: ChecklistVersion) -> None:
    assert rulebook.policy_in(policy).rules[0].id == "training-gpu-hours"
    assert rulebook.checklist_in(checklist).items[0].id == "business-metrics"
