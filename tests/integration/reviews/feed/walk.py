"""A random walk over every act that moves the standing of an artifact, at a time that the walk sets."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from reviews.authorizations.models import Authorization, Condition
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow import tasks
from reviews.workflow.actions import authorizations, requests, review
from reviews.workflow.actions.review import LiftedCondition, NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from governance.inventory.models import ModelVersion

DAY = timedelta(days=1)
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}
ENVIRONMENTS = ("dev", "prod")
EPOCH = 60
JUMPS = (
    *[timedelta(minutes=2)] * 10,
    *[timedelta(minutes=20)] * 10,
    timedelta(minutes=50),
    timedelta(hours=3),
    DAY,
    9 * DAY,
    200 * DAY,
)


def in_review() -> "QuerySet[ReviewRequest]":
    return ReviewRequest.objects.filter(state="in_review")


class Walk:
    """The acts. `now` is the time of the walk; two artifacts at a time, each registered by two teams."""

    def __init__(self, cast: Cast, now: datetime, seed: int) -> None:
        self.cast, self.now, self.random = cast, now, random.Random(seed)
        self.numbers, self.refused = count(), 0
        self.versions: list[tuple[ModelVersion, ModelVersion]] = []
        self.budgeted: set[str] = set()

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """The artifacts and environments that the walk moves now."""
        return [(pair[0].digest, environment) for pair in self.versions for environment in ENVIRONMENTS]

    def step(self, number: int) -> str:
        """Let time pass, and take one act; the name of the act."""
        self.now += self.random.choice(JUMPS) * self.random.uniform(0.5, 1.0)
        if number % EPOCH == 0:
            self._begin_again()
        act = self.random.choice(ACTS)
        try:
            act(self)
        except Refused:
            self.refused += 1
        return act.__name__

    def _begin_again(self) -> None:
        """Two new artifacts, so that the records of one stay few."""
        self.versions = []
        for _ in range(2):
            seed = next(self.numbers)
            own = make_version(by=self.cast.author, now=self.now, version=f"1.0.{seed}", seed=seed)
            twin = make_version(by=self.cast.outsider, team="ads", now=self.now, version=f"1.0.{seed}", seed=seed)
            self.versions.append((own, twin))

    def _filed(self, **changes: object) -> ReviewRequest:
        own, twin = self.random.choice(self.versions)
        is_own = "declared" not in changes or self.random.random() < 0.5
        version, by = (own, self.cast.author) if is_own else (twin, self.cast.outsider)
        fields = {"environment": self.random.choice(ENVIRONMENTS), "purpose": f"Purpose {next(self.numbers)}"}
        return walks.make_draft(by=by, now=self.now, version=version, **fields, **changes)

    def submit_small(self) -> None:
        request = self._filed(declared=SMALL, with_data=False)
        requests.submit(request=request, by=request.requester, now=self.now)

    def submit_large(self) -> None:
        request = self._filed(with_data=False)
        requests.submit(request=request, by=request.requester, now=self.now)

    def start_review(self) -> ReviewRequest:
        request = self._filed()
        self._allocate(request)
        requests.submit(request=request, by=request.requester, now=self.now)
        walks.take_results(request=request, now=self.now)
        walks.answer_everything(request=request, by=request.requester, now=self.now)
        return review.request_review(request=request, by=request.requester, now=self.now)

    def measure(self) -> None:
        """Measured values arrive at a cleared or open request."""
        request = self._one(ReviewRequest.objects.filter(state__in=("cleared", "evidence")))
        walks.take_results(request=request, now=self.now)
        walks.state_metric_value(
            request=request, name="training_cost_usd", value="90000", by=request.requester, now=self.now
        )

    def reject(self) -> None:
        self._vote(self._one(in_review()), "technical", VoteChoice.REJECT)

    def approve(self) -> None:
        self._approve()

    def approve_with_condition(self) -> None:
        days = self.random.randint(1, 4)
        owner = self.cast.author
        self._approve(NewCondition(text="Watch it.", owner=owner, due_on=(self.now + days * DAY).date()))

    def _approve(self, *conditions: NewCondition | LiftedCondition) -> None:
        request = self.start_review() if self.random.random() < 0.7 else self._one(in_review())
        self._allocate(request)
        version = request.model_version
        earlier = Condition.objects.filter(
            authorization__subject_digest=version.digest, met_at=None, lifted_at=None, carried_to=None
        )
        lifted = [LiftedCondition(row.pk) for row in earlier if self.random.random() < 0.3]
        self._vote(request, "technical", VoteChoice.APPROVE)
        self._vote(request, "technical", VoteChoice.APPROVE, by=self.cast.reviewer_two)
        self._vote(request, "gpu-budget", VoteChoice.APPROVE, by=self.cast.approver, conditions=(*conditions, *lifted))

    def _vote(self, request: ReviewRequest, stage: str, choice: VoteChoice, **more: object) -> None:
        fields = {"by": self.cast.reviewer_one, "rationale": "As measured."} | more
        review.vote(request=request, stage_id=stage, choice=choice, now=self.now, **fields)

    def withdraw(self) -> None:
        request = self._one(ReviewRequest.objects.filter(state__in=("evidence", "in_review")))
        requests.withdraw(request=request, reason="Not needed.", by=request.requester, now=self.now)

    def revoke(self) -> None:
        row = self._one(Authorization.objects.exclude(state__in=("revoked", "expired", "superseded")))
        authorizations.revoke(authorization=row, reason="It leaks.", by=self.cast.approver, now=self.now)

    def add_condition(self) -> None:
        row = self._one(Authorization.objects.filter(state__in=("active", "pending_expiration")))
        authorizations.add_condition(
            authorization=row,
            text="More.",
            owner=self.cast.author,
            due_on=(self.now + self.random.randint(0, 3) * DAY).date(),
            by=self.cast.approver,
            now=self.now,
        )

    def confirm_condition(self) -> None:
        row = self._one(Condition.objects.filter(met_at=None, lifted_at=None, carried_to=None))
        authorizations.confirm_condition(condition=row, by=self.cast.reviewer_one, now=self.now)

    def lift_condition(self) -> None:
        row = self._one(Condition.objects.filter(met_at=None, lifted_at=None, carried_to=None))
        authorizations.lift_condition(condition=row, reason="Not needed now.", by=row.set_by, now=self.now)

    def tick(self) -> None:
        tasks.expire_due(self.now)

    def nothing(self) -> None:
        """Only time passes."""

    def _one(self, rows: object) -> object:
        """A random row of the present artifacts; Refused if there is none."""
        digests = [pair[0].digest for pair in self.versions]
        model = rows.model  # type: ignore[attr-defined]
        path = {
            ReviewRequest: "model_version__digest__in",
            Authorization: "subject_digest__in",
            Condition: "authorization__subject_digest__in",
        }[model]
        found = list(rows.filter(**{path: digests}).order_by("pk"))  # type: ignore[attr-defined]
        if not found:
            raise Refused("There is none.")
        return self.random.choice(found)

    def _allocate(self, request: ReviewRequest) -> None:
        with suppress(Refused):
            walks.allocate_budget(team=request.team, by=self.cast.finance, now=self.now, usd="9000000", gpu_h="900000")


ACTS: tuple[Callable[[Walk], None], ...] = (
    Walk.submit_small,
    Walk.submit_small,
    Walk.submit_large,
    Walk.start_review,
    Walk.start_review,
    Walk.measure,
    Walk.reject,
    *[Walk.approve] * 3,
    *[Walk.approve_with_condition] * 3,
    Walk.withdraw,
    Walk.revoke,
    Walk.add_condition,
    *[Walk.confirm_condition] * 2,
    *[Walk.lift_condition] * 2,
    *[Walk.tick] * 3,
    Walk.nothing,
)
