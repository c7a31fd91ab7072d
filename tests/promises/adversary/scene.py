"""The installation that the adversary meets: two teams, fourteen people, and artifacts of every standing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from governance.inventory.models import ModelVersion
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.authorizations.models import Authorization
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, review
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast, make_cast, make_person

DAY = timedelta(days=1)
BINDING = {"mate": Role.REVIEWER, "twin": Role.REVIEWER, "teamlead": Role.PLATFORM_LEAD, "treasurer": Role.FINANCE}
PROMISE = "Watch the error rate."


@dataclass(frozen=True)
class Scene:
    """Everybody by user name, and the artifacts: each is over the limits of the policy, and none may pass alone."""

    people: dict[str, User]
    artifacts: dict[str, ModelVersion]
    voted: ReviewRequest
    now: datetime
    owners: set[str] = field(default_factory=lambda: {"author", "twin"})

    @property
    def digests(self) -> dict[str, str]:
        return {name: version.digest for name, version in self.artifacts.items()}


def build(now: datetime) -> Scene:
    """The scene, made through the public actions."""
    cast = make_cast(now=now)
    team = Team.objects.get(slug="search")
    users = {user.username: user for user in cast.everybody()}
    for name, role in BINDING.items():
        users[name] = make_person(name, role, now=now)
        people.grant_role(user=users[name], role=Role.REQUESTER, team=team, by=None, now=now)
    users["other_lead"] = make_person("other_lead", Role.PLATFORM_LEAD, now=now)
    walks.allocate_budget(team=team, by=cast.finance, now=now)
    names = ("rejected", "pending", "revoked", "conditional", "fresh")
    artifacts = {
        name: make_version(by=cast.author, now=now, slug=name, seed=seed) for seed, name in enumerate(names, 1)
    }
    _reject(artifacts["rejected"], cast, now)
    _submit(artifacts["pending"], cast, now)
    revoked = _approve(artifacts["revoked"], cast, now)
    authorizations.revoke(authorization=revoked, reason="It leaks.", by=cast.approver, now=now)
    promise = NewCondition(text=PROMISE, owner=cast.author, due_on=(now + 300 * DAY).date())
    _approve(artifacts["conditional"], cast, now, promise)
    handed = make_version(by=users["mate"], owner=users["twin"], now=now, slug="voted", seed=9)
    make_version(by=users["mate"], owner=cast.author, now=now, slug="voted", seed=9)
    handed.asset.refresh_from_db()
    voted = walks.make_ready(by=cast.author, now=now, version=handed, purpose="Voted on")
    voted = review.request_review(request=voted, by=cast.author, now=now)
    review.vote(request=voted, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    return Scene(users, artifacts | {"voted": handed}, voted, now)


def _submit(version: ModelVersion, cast: Cast, now: datetime) -> ReviewRequest:
    fields = {"purpose": f"Run {version.asset.slug}", "environment": "dev", "with_data": False}
    return walks.make_submitted(by=cast.author, now=now, version=version, **fields)


def _in_review(version: ModelVersion, cast: Cast, now: datetime) -> ReviewRequest:
    request = walks.make_ready(
        by=cast.author, now=now, version=version, purpose=f"Run {version.asset.slug}", environment="dev"
    )
    return review.request_review(request=request, by=cast.author, now=now)


def _reject(version: ModelVersion, cast: Cast, now: datetime) -> None:
    request, no = _in_review(version, cast, now), {"choice": VoteChoice.REJECT, "rationale": "Too expensive."}
    review.vote(request=request, stage_id="technical", by=cast.reviewer_one, now=now, **no)


def _approve(version: ModelVersion, cast: Cast, now: datetime, *conditions: NewCondition) -> Authorization:
    request = _in_review(version, cast, now)
    for voter in (cast.reviewer_one, cast.reviewer_two):
        review.vote(request=request, stage_id="technical", choice=VoteChoice.APPROVE, by=voter, now=now)
    yes = {"choice": VoteChoice.APPROVE, "conditions": conditions}
    review.vote(request=request, stage_id="gpu-budget", by=cast.approver, now=now, **yes)
    return Authorization.objects.get(decision__request=request)
