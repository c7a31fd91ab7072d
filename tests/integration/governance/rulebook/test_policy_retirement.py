"""A policy leaves force without a successor: by two people, and never so that a request has no policy."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.actions import publication
from governance.rulebook.domain.scopes import EvaluationSubject
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.attested import trust_of
from reviews.requests.queries.rulebook import rulebook_for
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import TEAM, Cast, make_person
from tests.factories.policies import FULL
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

Api = Callable[[User | None], APIClient]
As = Callable[[User], Client]
WHY = "Detection models are judged by the policy for files."


@pytest.fixture
def shipped(db: None, now: datetime) -> dict[str, PolicyVersion]:
    return kinds.publish_shipped(now=now)


def propose(version: PolicyVersion, cast: Cast, now: datetime) -> Change:
    return publication.propose_retirement(version=version, reason=WHY, by=cast.approver, now=now)


def retire(version: PolicyVersion, cast: Cast, now: datetime) -> None:
    approvals.confirm(change=propose(version, cast, now), by=cast.admin, now=now)


def test_new_requests_are_judged_by_another_policy_and_old_ones_by_the_same(
    shipped: dict[str, PolicyVersion], cast: Cast, now: datetime
) -> None:
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=cast.author, now=now)
    request = walks.make_submitted(by=cast.author, version=version, now=now)
    assert (request.policy, len(trust_of(request).keys)) == (shipped["detection"], 1)
    retire(shipped["detection"], cast, now)
    request.refresh_from_db()
    row = PolicyVersion.objects.get(pk=shipped["detection"].pk)
    assert (row.state, request.policy, trust_of(request).keys) == ("retired", row, ())
    other = kinds.register(task="detection", subject=kinds.CONTAINER, slug="other", by=cast.author, now=now)
    later = walks.make_submitted(by=cast.author, version=other, purpose="Other", now=now)
    assert later.policy == shipped["default"]
    event = AuditEvent.objects.get(kind="policy.retired")
    assert (event.subject, event.actor_id) == ("detection v1", str(cast.admin.pk))


def test_its_name_can_be_published_again(shipped: dict[str, PolicyVersion], cast: Cast, now: datetime) -> None:
    old = shipped["detection"]
    retire(old, cast, now)
    draft = rulebook.draft_policy(source=old.source, by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)
    assert list(PolicyVersion.objects.filter(name=old.name).order_by("number").values_list("number", "state")) == [
        (1, "retired"),
        (2, "published"),
    ]


def test_the_policy_for_everything_stays(shipped: dict[str, PolicyVersion], cast: Cast, now: datetime) -> None:
    with refused(Invalid, code="no_policy_for_everything"):
        propose(shipped["default"], cast, now)
    scoped = FULL.replace("title:", "applies_to: {tasks: [uplift]}\ntitle:", 1)
    with refused(Invalid, code="no_policy_for_everything"):
        rulebook.draft_policy(source=scoped, by=cast.approver, now=now)


def test_of_two_policies_for_everything_one_stays(policy: PolicyVersion, cast: Cast, now: datetime) -> None:
    second = FULL.replace("name: default", "name: strict\nprecedence: 5", 1)
    other = rulebook.publish(version=rulebook.draft_policy(source=second, by=None, now=now), by=None, now=now)
    both = [propose(version, cast, now) for version in (policy, other)]
    approvals.confirm(change=both[0], by=cast.admin, now=now)
    with refused(Invalid, code="no_policy_for_everything"):
        approvals.confirm(change=both[1], by=cast.admin, now=now)


@pytest.mark.parametrize("who", ["author", "reviewer_one", "finance", "auditor"])
def test_who_may_not_propose(shipped: dict[str, PolicyVersion], cast: Cast, now: datetime, who: str) -> None:
    with refused(NotAllowed):
        publication.propose_retirement(version=shipped["detection"], reason=WHY, by=getattr(cast, who), now=now)


def test_the_proposer_does_not_confirm_and_an_old_version_is_not_retired(
    shipped: dict[str, PolicyVersion], cast: Cast, now: datetime
) -> None:
    change = publication.propose_retirement(version=shipped["detection"], reason=WHY, by=cast.admin, now=now)
    with refused(NotAllowed):
        approvals.confirm(change=change, by=cast.admin, now=now)
    draft = rulebook.draft_policy(source=shipped["detection"].source, by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)
    other = make_person("second", Role.ADMIN, now=now - timedelta(days=9))
    with refused(WrongState):
        approvals.confirm(change=change, by=other, now=now)
    with refused(WrongState):
        propose(shipped["detection"], cast, now)


def test_a_member_of_the_only_team_that_it_concerns_does_not_confirm(
    policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    source = FULL.replace("name: default", "name: own\nprecedence: 5", 1)
    source = source.replace("title:", f"applies_to: {{teams: [{TEAM}]}}\ntitle:", 1).replace("limit: 200", "limit: 1")
    own = rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
    member = make_person("member", Role.ADMIN, now=now - timedelta(days=9))
    team = Team.objects.get(slug=TEAM)
    people.grant_role(user=member, role=Role.REQUESTER, team=team, by=None, now=now - timedelta(days=1))
    change = propose(own, cast, now)
    with refused(NotAllowed, code="own_team"):
        approvals.confirm(change=change, by=member, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_retirement_by_one_person(now: datetime) -> None:
    shipped = kinds.publish_shipped(now=now)
    with pytest.raises(IntegrityError, match="is retired by its successor, or by two people"), transaction.atomic():
        PolicyVersion.objects.filter(pk=shipped["detection"].pk).update(state="retired")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rulebook_policyversion WHERE state = 'published'")
        assert cursor.fetchone() == (len(shipped),)


def test_api_and_page(api: Api, as_: As, shipped: dict[str, PolicyVersion], cast: Cast) -> None:
    address = "/rulebook/policies/detection/1/"
    assert "Take this policy out of force" in as_(cast.approver).get(address).content.decode()
    assert "Take this policy out of force" not in as_(cast.author).get(address).content.decode()
    fallback = as_(cast.approver).get("/rulebook/policies/default/1/").content.decode()
    assert "This policy cannot be retired. Afterwards no policy would apply to everything" in fallback
    before = everything()
    assert as_(cast.author).post(f"{address}retire/", {"reason": WHY}).status_code == 403
    assert everything() == before
    assert api(cast.author).post(f"/api/v1{address}retire/", {"reason": WHY}, format="json").status_code == 403
    assert not Change.objects.exists()
    proposed = api(cast.approver).post(f"/api/v1{address}retire/", {"reason": WHY}, format="json")
    assert proposed.status_code == 201
    assert proposed.json()["description"].startswith("Retire the policy detection v1, which applies to ")
    page = as_(cast.approver).get(address).content.decode()
    assert "proposed to retire this policy" in " ".join(page.split())
    change = as_(cast.admin).get(f"/changes/{proposed.json()['id']}/").content.decode()
    assert "Retire the policy detection v1" in change
    assert as_(cast.admin).post(f"/changes/{proposed.json()['id']}/confirm/").status_code == 302
    assert ">Retired<" in as_(cast.approver).get(address).content.decode().replace("\n", "").replace(" ", "")


def test_the_choice_follows(shipped: dict[str, PolicyVersion], cast: Cast, now: datetime) -> None:
    subject = EvaluationSubject(team=TEAM, tier="T1", environment="prod", kind="file", format="onnx", task="detection")
    assert rulebook_for(subject).policy.name == "detection"
    retire(shipped["detection"], cast, now)
    assert rulebook_for(subject).policy.name == "default"
