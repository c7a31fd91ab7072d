"""Requests walked at random through the real actions on the real database, against an oracle that shares no code with
them.

Every step says beforehand whether it will be done. What is refused leaves every table as it was; what is done leaves
state, revision, votes, money and permissions as the oracle has them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Dataset, Run
from benchmarking.runs.queries import runs
from governance.audit.queries.trail import first_broken
from governance.budgets.domain import ledger
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import entries_of
from governance.inventory.actions import inventory
from governance.inventory.models import ModelVersion
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.models import Authorization
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import measurements, requests, review
from tests.factories import requests as walks
from tests.factories.models import accept_ownership, make_dataset, make_version
from tests.factories.people import Cast, make_person
from tests.integration.reviews.evidence.repeated import again
from tests.integration.reviews.oracle import BIG, METRICS, OPEN, SMALL, Oracle
from tests.standstill import everything
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Refused

pytestmark = pytest.mark.slow

GRANTS = {
    "author": {Role.REVIEWER},
    "mate": {Role.REVIEWER, Role.PLATFORM_LEAD},
    "anne": {Role.REVIEWER},
    "bert": {Role.REVIEWER, Role.PLATFORM_LEAD},
    "carl": {Role.REVIEWER},
    "lea": {Role.PLATFORM_LEAD},
    "adam": {Role.ADMIN, Role.REVIEWER},
    "stranger": set[Role](),
}
MEMBERS = {"author", "mate"}
WHO = st.sampled_from(sorted(GRANTS))
FRIEND = st.sampled_from(["author", "mate"])
VOTER = st.sampled_from(["anne", "bert", "carl", "lea"])
STAGE = st.sampled_from(["technical", "gpu-budget"])


@dataclass(frozen=True)
class Base:
    """What every walk begins with."""

    users: dict[str, User]
    version_id: int
    dataset: Dataset
    now: datetime


@pytest.fixture
def base(policy: PolicyVersion, cast: Cast, now: datetime) -> Base:
    team = Team.objects.get(slug="search")
    users = {"author": cast.author, "stranger": cast.outsider}
    users["mate"] = make_person("mate", Role.REQUESTER, team=team, now=now)
    for name in sorted(set(GRANTS) - set(users)):
        users[name] = make_person(name, now=now)
    for name, roles in GRANTS.items():
        for role in sorted(roles):
            people.grant_role(user=users[name], role=role, by=None, now=now)
    walks.allocate_budget(team=team, by=cast.finance, now=now, usd="9000000", gpu_h="9000000")
    version = make_version(by=cast.author, now=now)
    return Base(users, version.pk, make_dataset(by=cast.author, now=now), now)


class Walk(RuleBasedStateMachine):
    """One example: everything happens in a transaction that is rolled back at its end."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.base, self.now = base, base.now
        self.version = self._version()
        self.request: Any = None
        self.texts = count(1)
        self.oracle = Oracle(
            {name: {str(role) for role in roles} for name, roles in GRANTS.items()}, MEMBERS, "author", "author"
        )
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        try:
            assert first_broken() is None
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def agree(self, expected: bool, act: Callable[[User, datetime], object], who: str = "author") -> None:
        self.now += timedelta(seconds=1)
        before, refusal = everything(), None
        try:
            act(self.base.users[who], self.now)
        except Refused as error:
            refusal = error
        assert (refusal is None) == expected, refusal or "it was done, and should have been refused"
        assert (everything() != before) == expected
        if self.request is not None:
            self.request.refresh_from_db()

    def _version(self) -> ModelVersion:
        return ModelVersion.objects.select_related("asset__team", "asset__owner").get(pk=self.base.version_id)

    def filing(self, *, is_production: bool = True) -> requests.Filing:
        return requests.Filing(
            title=f"Walked {next(self.texts)}",
            purpose="Walk",
            environment="prod" if is_production else "dev",
            business_case="To be sure.",
            model_version=self.version,
            dataset=self.base.dataset,
        )

    # the requester's steps

    @initialize(who=FRIEND)
    def begin(self, who: str) -> None:
        self.create(who)

    @rule(who=WHO)
    def create(self, who: str) -> None:
        def act(by: User, now: datetime) -> None:
            self.request = requests.create(filing=self.filing(), by=by, now=now)

        self.agree(self.oracle.create(who), act, who)

    @rule(who=WHO, is_production=st.booleans())
    def edit(self, who: str, is_production: bool) -> None:
        self.agree(
            self.oracle.edit(who, is_production=is_production),
            lambda by, now: requests.edit(
                request=self.request, filing=self.filing(is_production=is_production), by=by, now=now
            ),
            who,
        )

    @rule(who=WHO, name=st.sampled_from(METRICS), is_big=st.booleans())
    def declare(self, who: str, name: str, is_big: bool) -> None:
        value = str({**(BIG if is_big else SMALL), "business_kpi_delta": "0.01"}[name])
        self.agree(
            self.oracle.declare(who, name, is_big=is_big),
            lambda by, now: walks.state_metric_value(request=self.request, name=name, value=value, by=by, now=now),
            who,
        )

    @rule(who=WHO)
    def submit(self, who: str) -> None:
        self.agree(self.oracle.submit(who), lambda by, now: requests.submit(request=self.request, by=by, now=now), who)

    @rule(who=WHO)
    def answer(self, who: str) -> None:
        self.agree(
            self.oracle.answer(who),
            lambda by, now: walks.answer_everything(request=self.request, by=by, now=now),
            who,
        )

    @rule(who=WHO)
    def request_review(self, who: str) -> None:
        self.agree(
            self.oracle.request_review(who),
            lambda by, now: review.request_review(request=self.request, by=by, now=now),
            who,
        )

    @rule(who=FRIEND, is_big=st.booleans())
    def prepare(self, who: str, is_big: bool) -> None:
        """Everything a diligent requester does, in one step, so that walks reach the voters."""
        if self.oracle.state == "draft":
            for name in METRICS:
                self.declare(who, name, is_big)
            self.submit(who)
        if self.oracle.state == "changes_requested":
            self.revise(who)
        if self.oracle.state == "evidence":
            for name in METRICS:
                if not (self.oracle.has_kpi if name == "business_kpi_delta" else self.oracle.filed.latest(name)):
                    self.declare(who, name, is_big)
            while "queued" in self.oracle.runs:
                self.finish("valid")
            if not self.oracle.is_measured:
                self.repeat(who)
                self.finish("valid")
            self.answer(who)
            if self.oracle.contradictions() - self.oracle.explained:
                self.explain(who)
            self.request_review(who)

    @precondition(lambda self: self.oracle.contradictions() - self.oracle.explained)
    @rule(who=WHO)
    def explain(self, who: str) -> None:
        self.agree(
            self.oracle.explain(who),
            lambda by, now: walks.explain_everything(request=self.request, by=by, now=now),
            who,
        )

    @rule(who=WHO)
    def revise(self, who: str) -> None:
        self.agree(
            self.oracle.revise(who),
            lambda by, now: requests.revise(request=self.request, reason="Better.", by=by, now=now),
            who,
        )

    @rule(who=st.sampled_from(["author", "mate", "adam", "lea"]))
    def withdraw(self, who: str) -> None:
        self.agree(
            self.oracle.withdraw(who),
            lambda by, now: requests.withdraw(request=self.request, reason="Not now.", by=by, now=now),
            who,
        )

    @precondition(lambda self: self.oracle.state == "cleared")
    @rule()
    def expire(self) -> None:
        deadline = self.request.deadline_at
        self.agree(self.oracle.expire(), lambda _, __: requests.expire(request=self.request, now=deadline))

    # benchmarks

    @precondition(lambda self: self.oracle.state in OPEN and self.oracle.runs)
    @rule(who=WHO)
    def repeat(self, who: str) -> None:
        first = runs.of_request(self.request.ref)[0]
        self.agree(self.oracle.repeat(who), lambda by, now: run_actions.repeat(run=first, by=by, now=now), who)

    @precondition(lambda self: self.oracle.state in OPEN and "queued" in self.oracle.runs)
    @rule(verdict=st.sampled_from(["valid", "invalid"]))
    def finish(self, verdict: str) -> None:
        run = Run.objects.filter(asked_for=self.request.ref, state="queued").order_by("pk")[0]
        self.oracle.finish(verdict)

        def act(_: User, now: datetime) -> None:
            done = walks.finish_run(run=run, now=now, result=walks.result_of(verdict=verdict))
            measurements.record_measurements(request=self.request, run=done, now=now)

        self.agree(True, act)

    # votes

    @rule(who=WHO, stage=STAGE, choice=st.sampled_from(VoteChoice))
    def vote(self, who: str, stage: str, choice: VoteChoice) -> None:
        self.agree(
            self.oracle.vote(who, stage, choice.value),
            lambda by, now: review.vote(
                request=self.request, stage_id=stage, choice=choice, rationale="Because.", by=by, now=now
            ),
            who,
        )

    @precondition(lambda self: self.oracle.state == "in_review")
    @rule(who=VOTER)
    def approve(self, who: str) -> None:
        self.vote(who, self.oracle.open_stage(), VoteChoice.APPROVE)

    @precondition(lambda self: self.oracle.state == "in_review")
    @rule(who=VOTER, again=VOTER)
    def approve_twice(self, who: str, again: str) -> None:
        for voter in (who, again):
            self.vote(voter, self.oracle.open_stage(), VoteChoice.APPROVE)

    # the world around

    @rule(to=WHO)
    def hand_over(self, to: str) -> None:
        asset = self.version.asset
        inventory.register_asset(
            team="search",
            slug=asset.slug,
            name=asset.name,
            tier=asset.tier,
            task="classification",
            owner=self.base.users[to],
            by=self.base.users["mate"],
            now=self.now,
        )
        accept_ownership(asset=asset, now=self.now)
        self.oracle.hand_over(to)
        # Whoever comes next reads the model anew, as every page and call does.
        self.version = self._version()
        self.request = ReviewRequest.objects.get(pk=self.request.pk)

    @rule(who=VOTER, role=st.sampled_from([Role.REVIEWER, Role.PLATFORM_LEAD]))
    def turn_role(self, who: str, role: Role) -> None:
        """Give the role, or take it away."""
        held = self.oracle.roles[who]
        change = people.revoke_role if str(role) in held else people.grant_role
        change(user=self.base.users[who], role=role, by=None, now=self.now)
        self.oracle.roles[who] = held ^ {str(role)}

    # agreement

    @invariant()
    def both_agree(self) -> None:
        if self.request is None:
            return
        row = ReviewRequest.objects.get(pk=self.request.pk)
        decision = getattr(row, "decision", None)
        state = decision.outcome if decision is not None else row.state
        assert (state, row.revision) == (self.oracle.state, self.oracle.revision)
        cast = {vote.person_id: (vote.stage, vote.choice) for vote in row.votes.filter(revision=row.revision)}
        assert cast == {self.base.users[who].pk: vote for who, vote in self.oracle.votes.items()}
        assert Authorization.objects.count() == self.oracle.approvals
        self._money_agrees(row)
        self._history_is_repeatable(row)

    def _history_is_repeatable(self, row: ReviewRequest) -> None:
        """Whatever was determined on the way is what its policy version makes of what was known then."""
        recorded = list(row.policy_evaluations.select_related("policy"))
        assert [to_document(again(each)) for each in recorded] == [each.document for each in recorded]

    def _money_agrees(self, row: ReviewRequest) -> None:
        cost, once = str(self.oracle.booked), str(self.oracle.counts("training_cost_usd") or 0)
        first, *later = walks.usd_shares(now=self.now, usd=cost, once=once) or [Decimal(0)]
        accounts = [entries_of(each) for each in BudgetAccount.objects.filter(unit="USD").order_by("quarter")]
        entries = accounts[0]
        reserved = first if self.oracle.state == "in_review" else Decimal(0)
        assert ledger.holding_of(entries, ref=row.ref).reserved == ledger.balance(entries).reserved == reserved
        committed = [ledger.holding_of(each, ref=row.ref).open for each in accounts]
        assert sum(committed) == (Decimal(cost) if self.oracle.state == "approved" else 0)
        assert [amount for amount in committed if amount] == ([first, *later] if sum(committed) else [])


@pytest.mark.parametrize("examples", [12, pytest.param(60, marks=pytest.mark.nightly)])
def test_no_walk_diverges_from_the_oracle(base: Base, examples: int) -> None:
    run_state_machine_as_test(lambda: Walk(base), settings=settings(max_examples=examples, stateful_step_count=25))
