"""Requests of one author about a model somebody else owns, walked into each state; and everybody who might
act on them.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from governance.jobs import actions as jobs
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, requests, review
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast, make_person
from tests.remembered import remembered

SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}
CONTRADICTED = {**walks.DECLARED, "latency_p95_ms": "1"}


@dataclass(frozen=True)
class World:
    """A cast, and further people by name."""

    cast: Cast
    owner: User
    mate: User
    gone: User
    now: datetime

    def everybody(self) -> dict[str, User]:
        """The columns of the truth table."""
        cast = self.cast
        return {
            "requester": cast.author,
            "owner": self.owner,
            "mate": self.mate,
            "reviewer": cast.reviewer_one,
            "lead": cast.approver,
            "product": cast.product,
            "finance": cast.finance,
            "admin": cast.admin,
            "auditor": cast.auditor,
            "outsider": cast.outsider,
            "gone": self.gone,
        }

    @remembered
    def draft(self, **changes: Any) -> ReviewRequest:
        owned = make_version(by=self.cast.author, owner=self.owner, now=self.now)
        return walks.make_draft(
            by=self.cast.author, now=self.now, **{"version": owned, "declared": CONTRADICTED, **changes}
        )

    @remembered
    def edited(self) -> ReviewRequest:
        draft = self.draft()
        filing = requests.Filing(
            title="Another title",
            purpose="Another purpose",
            environment="prod",
            business_case="As before.",
            model_version=draft.model_version,
        )
        return requests.edit(request=draft, filing=filing, by=self.cast.author, now=self.now)

    @remembered
    def submitted(self, **changes: Any) -> ReviewRequest:
        return requests.submit(request=self.draft(**changes), by=self.cast.author, now=self.now)

    @remembered
    def cleared(self) -> ReviewRequest:
        return self.submitted(environment="dev", declared=SMALL)

    @remembered
    def evidence(self) -> ReviewRequest:
        """Nothing missing, the contradicted claim explained, money there."""
        request = self.submitted()
        walks.take_results(request=request, now=self.now)
        walks.answer_everything(request=request, by=self.cast.author, now=self.now)
        evidence.answer_contradiction(
            request=request, name="latency_p95_ms", text="Measured on a GPU before.", by=self.cast.author, now=self.now
        )
        walks.allocate_budget(team=request.team, by=self.cast.finance, now=self.now)
        return request

    @remembered
    def in_review(self) -> ReviewRequest:
        return review.request_review(request=self.evidence(), by=self.cast.author, now=self.now)

    @remembered
    def before_the_last_vote(self) -> ReviewRequest:
        request = self.in_review()
        for voter in (make_person("other.one", Role.REVIEWER, now=self.now), self.cast.reviewer_two):
            request = self.vote(request, voter)
        return request

    @remembered
    def changes_requested(self) -> ReviewRequest:
        return self.vote(self.in_review(), self.cast.reviewer_two, choice=VoteChoice.REQUEST_CHANGES)

    @remembered
    def revised(self) -> ReviewRequest:
        return requests.revise(request=self.in_review(), reason="New weights.", by=self.cast.author, now=self.now)

    @remembered
    def decided(self) -> ReviewRequest:
        """Approved with a condition the owner owes; its packet could not be drawn."""
        request = self.before_the_last_vote()
        promise = review.NewCondition(text="Watch the error rate.", owner=self.owner, due_on=self.day(30))
        other = make_person("other.lead", Role.PLATFORM_LEAD, now=self.now)
        request = self.vote(request, other, stage_id="gpu-budget", conditions=(promise,))
        packet = type(request.packets.get()).claim(
            pk=request.packets.get().pk, now=self.now, lease=timedelta(minutes=1)
        )
        assert jobs.fail(row=packet, reason="The printer is out of paper.", now=self.now)
        return request

    @remembered
    def withdrawn(self) -> ReviewRequest:
        return requests.withdraw(request=self.evidence(), reason="Not needed.", by=self.cast.author, now=self.now)

    @remembered
    def expired(self) -> ReviewRequest:
        return requests.expire(request=self.evidence(), now=self.now + timedelta(days=30))

    @remembered
    def extended(self) -> ReviewRequest:
        reason = "The only reviewer is ill."
        return requests.extend(request=self.evidence(), days=7, reason=reason, by=self.cast.approver, now=self.now)

    @remembered
    def screening(self) -> ReviewRequest:
        """No action leaves a request here: the row is put there by hand."""
        request = self.submitted()
        ReviewRequest.objects.filter(pk=request.pk).update(state="screening")
        request.refresh_from_db()
        return request

    def day(self, days: int) -> date:
        return (self.now + timedelta(days=days)).date()

    def vote(
        self,
        request: ReviewRequest,
        by: User,
        *,
        stage_id: str = "technical",
        choice: VoteChoice = VoteChoice.APPROVE,
        rationale: str = "Because of the metric values.",
        conditions: tuple[review.NewCondition, ...] = (),
    ) -> ReviewRequest:
        return review.vote(
            request=request,
            stage_id=stage_id,
            choice=choice,
            rationale=rationale,
            conditions=conditions,
            by=by,
            now=self.now,
        )


@remembered
def make_world(*, cast: Cast, now: datetime) -> World:
    team = Team.objects.get(slug="search")
    gone = make_person("gone.away", Role.REVIEWER, Role.PLATFORM_LEAD, Role.ADMIN, now=now)
    people.grant_role(user=gone, role=Role.REQUESTER, team=team, by=None, now=now)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    gone.refresh_from_db()
    return World(
        cast=cast,
        owner=make_person("owner.anne", now=now),
        mate=make_person("mate.bert", Role.REQUESTER, team=team, now=now),
        gone=gone,
        now=now,
    )
