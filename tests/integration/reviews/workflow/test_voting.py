"""The review: freezing a revision, votes one by one, and the decision the last of them makes."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.queries import runs
from governance.audit.models import AuditEvent
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import LedgerEntry
from governance.jobs import actions as jobs
from governance.jobs.models import OutboxMessage
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from reviews.authorizations.models import Authorization, Condition, Decision
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import readers_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote
from reviews.workflow.actions import requests, review, waivers
from reviews.workflow.actions.review import NewCondition
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import make_person
from tests.factories.policies import FULL, lean
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import refused
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState


def last_vote(world: World, request: ReviewRequest, **changes: object) -> ReviewRequest:
    return world.vote(request, world.cast.approver, stage_id="gpu-budget", **changes)


def publish(change: tuple[str, str], now: datetime) -> None:
    """The lean policy with one thing changed, in force."""
    assert FULL.count(change[0]) == 1
    draft = rulebook.draft_policy(source=lean(FULL.replace(*change)), by=None, now=now)
    rulebook.publish(version=draft, by=None, now=now)


# asking for a review


def test_asking_freezes_the_revision_and_reserves_the_money(world: World) -> None:
    request = world.in_review()
    frozen = request.revisions.get()
    assert (frozen.number, frozen.digest, frozen.frozen_at) == (1, digest_of(frozen.bundle), world.now)
    reserved = {entry.account.unit: entry.amount for entry in LedgerEntry.objects.filter(kind="reserve")}
    assert reserved == {"USD": walks.usd_shares(now=world.now)[0], "gpu_h": Decimal("320.00")}
    quarter = str(Quarter.of(world.now.date()))
    assert {entry.account.quarter for entry in LedgerEntry.objects.filter(kind="reserve")} == {quarter}
    assert AuditEvent.objects.get(kind="revision.frozen").details == {"number": 1, "digest": frozen.digest}
    assert OutboxMessage.objects.order_by("pk").last().payload["occasion"] == "in_review"


def test_a_benchmark_under_way_is_waited_for(world: World) -> None:
    request = world.submitted()
    with refused(WrongState, code="run_unfinished"):
        review.request_review(request=request, by=world.cast.author, now=world.now)


def test_open_items_are_named(world: World) -> None:
    request = world.submitted()
    walks.take_results(request=request, now=world.now)
    with refused(
        WrongState, match="Cheaper alternatives considered: This item has no answer yet", code="checklist_open"
    ):
        review.request_review(request=request, by=world.cast.author, now=world.now)


def test_a_rule_nobody_can_evaluate_blocks(world: World) -> None:
    publish(("min_n: 2000", "min_n: 5000"), world.now)
    request = world.evidence()
    with refused(WrongState, match="The rule needs 5000 samples of Latency p95", code="indeterminate"):
        review.request_review(request=request, by=world.cast.author, now=world.now)


def test_a_request_the_policy_denies_never_reaches_the_voters(world: World) -> None:
    rule = (
        "limit: 200\n    unit: gpu_h\n    accept: [declared, estimated, measured, billed]\n    effect: require_review"
    )
    denying = rule.replace("require_review", "deny")
    indeterminate = "on_indeterminate: require_review\n    message: Training beyond 200"
    source = (
        defaults.text_of(defaults.POLICY)
        .replace(rule, denying)
        .replace(indeterminate, indeterminate.replace("require_review", "deny"))
    )
    draft = rulebook.draft_policy(source=source, by=None, now=world.now)
    rulebook.publish(version=draft, by=None, now=world.now)
    request = world.evidence()
    with refused(WrongState, match="Training GPU hours is 320 .*The policy denies this", code="denied"):
        review.request_review(request=request, by=world.cast.author, now=world.now)


def test_no_money_no_review(world: World) -> None:
    walk = world.submitted()
    walks.take_results(request=walk, now=world.now)
    walks.answer_everything(request=walk, by=world.cast.author, now=world.now)
    walks.state_metric_value(
        request=walk, name="latency_p95_ms", value="2", by=world.mate, now=world.now + timedelta(seconds=1)
    )
    with refused(Invalid, code="no_budget"):
        review.request_review(request=walk, by=world.cast.author, now=world.now)
    walks.allocate_budget(
        team=walk.team,
        by=world.cast.finance,
        now=world.now,
        usd=str(walks.usd_shares(now=world.now)[0] - Decimal("0.01")),
    )
    with refused(WrongState, match=r"0\.01.* too much", code="over_budget"):
        review.request_review(request=walk, by=world.cast.author, now=world.now)


# voting


def test_two_reviewers_and_a_lead_approve(world: World) -> None:
    request = world.in_review()
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
        assert request.state == "in_review"
    request = last_vote(world, request, rationale="Within the quarter.")
    decision = Decision.objects.get()
    assert (request.state, decision.outcome, decision.revision) == ("decided", "approved", 1)
    assert (decision.decided_by, decision.rationale, decision.decided_at) == (
        world.cast.approver,
        "Within the quarter.",
        world.now,
    )
    assert decision.bundle_digest == request.revisions.get().digest
    assert (decision.policy_evaluation.occasion, decision.policy_evaluation.outcome) == ("decision", "review_required")
    first, *later = map(str, walks.usd_shares(now=world.now))
    assert [
        (entry.kind, str(entry.amount)) for entry in LedgerEntry.objects.exclude(request_ref="").order_by("pk")
    ] == [
        ("reserve", first),
        ("reserve", "320.00"),
        ("release", first),
        ("release", "320.00"),
        ("commit", first),
        ("commit", "320.00"),
        *(("plan", share) for share in later),
    ]
    assert Authorization.objects.get().state == "active"
    assert request.packets.get().number == 1
    assert OutboxMessage.objects.order_by("pk").last().payload["occasion"] == "approved"


def test_the_trail_tells_the_decision_in_order(world: World) -> None:
    last = AuditEvent.objects.count()
    request = last_vote(world, world.before_the_last_vote())
    later = ["budget.plan"] * (len(walks.usd_shares(now=world.now)) - 1)
    kinds = list(AuditEvent.objects.order_by("position").values_list("kind", flat=True))[last:]
    assert kinds[kinds.index("vote.cast", kinds.index("vote.cast", kinds.index("vote.cast") + 1) + 1) :] == [
        "vote.cast",
        "budget.release",
        "budget.release",
        "budget.commit",
        "budget.commit",
        *later,
        "request.decided",
        "decision.approved",
        "authorization.issued",
        "ticket.told",
        "audit.checkpointed",
        "packet.frozen",
        "standing.published",
    ]
    cast = AuditEvent.objects.filter(kind="vote.cast").last()
    assert (cast.subject, cast.reason) == (request.ref, "Because of the metric values.")
    assert cast.details == {"stage": "gpu-budget", "choice": "approve", "revision": 1}


@pytest.mark.parametrize("choice", [VoteChoice.REJECT, VoteChoice.REQUEST_CHANGES])
def test_a_no_needs_a_reason(world: World, choice: VoteChoice) -> None:
    request = world.in_review()
    with refused(Invalid, code="rationale_required", field="rationale"):
        world.vote(request, world.cast.reviewer_one, choice=choice, rationale=" x")


def test_one_rejection_ends_it_and_frees_the_money(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one, choice=VoteChoice.REJECT, rationale="Too slow.")
    decision = Decision.objects.get()
    assert (request.state, decision.outcome, decision.rationale) == ("decided", "rejected", "Too slow.")
    assert Authorization.objects.count() == 0
    assert [entry.kind for entry in LedgerEntry.objects.exclude(request_ref="").order_by("pk")] == [
        "reserve",
        "reserve",
        "release",
        "release",
    ]
    told = OutboxMessage.objects.order_by("pk").last().payload
    assert (told["occasion"], told["text"], told["by"]) == ("rejected", "Too slow.", "Reviewer One")
    assert request.packets.count() == 1


def test_changes_are_asked_for_and_made(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    request = world.vote(
        request, world.cast.reviewer_two, choice=VoteChoice.REQUEST_CHANGES, rationale="Measure the tail."
    )
    assert (request.state, request.revision) == ("changes_requested", 1)
    assert OutboxMessage.objects.order_by("pk").last().payload["text"] == "Measure the tail."
    request = requests.revise(request=request, reason="Measured.", by=world.cast.author, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    assert [row.number for row in request.revisions.order_by("number")] == [1, 2]
    # Both vote again: what they said of revision 1 counts no more.
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    request = last_vote(world, request)
    assert (request.state, Decision.objects.get().revision, Vote.objects.count()) == ("decided", 2, 5)
    booked = LedgerEntry.objects.exclude(request_ref="").exclude(kind="plan")
    assert [entry.kind for entry in booked.order_by("pk")] == [
        "reserve",
        "reserve",
        "release",
        "release",
        "reserve",
        "reserve",
        "release",
        "release",
        "commit",
        "commit",
    ]


def test_the_database_holds_one_vote_per_person(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    row = {
        "request": request,
        "revision": 1,
        "person": world.cast.reviewer_one,
        "choice": "approve",
        "cast_at": world.now,
    }
    for stage in ("technical", "gpu-budget"):
        with pytest.raises(IntegrityError, match="one_person_counts_once"), transaction.atomic():
            Vote.objects.create(**row, stage=stage)
    for change in (lambda: request.votes.update(choice="reject"), lambda: request.votes.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_twenty_identical_votes_are_one(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    for _ in range(19):
        with refused(WrongState, code="already_voted"):
            world.vote(request, world.cast.reviewer_one)
    assert Vote.objects.count() == 1


def test_a_person_of_both_roles_counts_once(world: World) -> None:
    people.grant_role(user=world.cast.reviewer_two, role=Role.PLATFORM_LEAD, by=None, now=world.now)
    request = world.before_the_last_vote()
    with refused(WrongState, code="already_voted"):
        world.vote(request, world.cast.reviewer_two, stage_id="gpu-budget")


def test_an_unknown_stage_is_named(world: World) -> None:
    request = world.in_review()
    with refused(NotFound, match="no stage 'legal'; its stages are technical, gpu-budget", field="stage"):
        world.vote(request, world.cast.reviewer_one, stage_id="legal")


def all_roles(user: User, now: datetime) -> User:
    for role in set(Role) - {Role.REQUESTER}:
        people.grant_role(user=user, role=role, by=None, now=now)
    return user


def test_nobody_votes_on_their_own_work_whatever_their_roles(world: World) -> None:
    request = world.evidence()
    editor = world.mate
    walks.state_metric_value(request=request, name="error_rate", value="0.01", by=editor, now=world.now)
    request = review.request_review(request=request, by=editor, now=world.now)
    for person, words in (
        (world.cast.author, "You filed this request"),
        (world.owner, "You own this model"),
        (editor, "You ran or edited evidence"),
    ):
        mighty = all_roles(person, world.now)
        with refused(NotAllowed, match=words, code="separation_of_duties"):
            world.vote(request, mighty)


def test_an_answer_that_was_replaced_still_binds_who_gave_it(world: World) -> None:
    request = world.evidence()
    sly = make_person("sly.one", Role.REVIEWER, now=world.now)
    people.grant_role(user=sly, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
    for by in (sly, world.mate):
        walks.answer_everything(request=request, by=by, now=world.now)
    assert not request.checklist_answers.filter(answered_by=sly).exists()
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    with refused(NotAllowed, match="ran or edited evidence", code="separation_of_duties"):
        world.vote(request, sly)


def test_whoever_started_a_benchmark_cannot_judge_it(world: World) -> None:
    request = world.evidence()
    run = run_actions.repeat(run=runs.of_request(request.ref)[0], by=world.cast.approver, now=world.now)
    jobs.cancel(row=run, by=world.mate, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    with refused(NotAllowed, code="separation_of_duties"):
        last_vote(world, request)


# the last vote


def test_the_money_must_be_there_at_the_last_vote(world: World) -> None:
    request = world.before_the_last_vote()
    quarter_later = world.now + timedelta(days=92)
    with refused(Invalid, code="no_budget"):
        review.vote(
            request=request, stage_id="gpu-budget", choice=VoteChoice.APPROVE, by=world.cast.approver, now=quarter_later
        )
    quarter = str(Quarter.of(quarter_later.date()))
    for unit, amount in ((BudgetUnit.USD, "30000"), (BudgetUnit.GPU_H, "319")):
        budgets.allocate(
            holder=request.team,
            quarter=quarter,
            unit=unit,
            amount=Decimal(amount),
            key=f"late:{unit}",
            by=world.cast.finance,
            now=quarter_later,
        )
    with refused(WrongState, match="1.* too much", code="over_budget"):
        review.vote(
            request=request, stage_id="gpu-budget", choice=VoteChoice.APPROVE, by=world.cast.approver, now=quarter_later
        )
    assert Vote.objects.count() == 2


def test_evidence_that_ran_out_under_review_is_not_approved(world: World) -> None:
    request = world.before_the_last_vote()
    with refused(WrongState, match="stricter now.*The measured value of Latency p95 expired", code="worse"):
        review.vote(
            request=request,
            stage_id="gpu-budget",
            choice=VoteChoice.APPROVE,
            by=world.cast.approver,
            now=world.now + timedelta(days=180),
        )


def test_a_waiver_that_ran_out_under_review_counts_no_more(world: World) -> None:
    publish(("limit: 0.80", "limit: 0.99"), world.now)
    request = world.evidence()
    waivers.grant(
        request=request,
        rule_id="accuracy-floor-prod",
        reason="A ranking has no accuracy.",
        valid_days=1,
        by=world.cast.approver,
        now=world.now,
    )
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    with refused(WrongState, match="stricter now.*The lower bound of Accuracy", code="worse"):
        review.vote(
            request=request,
            stage_id="gpu-budget",
            choice=VoteChoice.APPROVE,
            by=world.cast.approver,
            now=world.now + timedelta(days=1),
        )
    assert last_vote(world, request).state == "decided"


def test_a_benchmark_started_under_review_holds_the_decision_up(world: World) -> None:
    request = world.before_the_last_vote()
    run_actions.repeat(run=runs.of_request(request.ref)[0], by=world.mate, now=world.now)
    with refused(WrongState, code="changed"):
        last_vote(world, request)


# conditions


def test_conditions_come_with_the_approval(world: World) -> None:
    promise = NewCondition(text="Watch the error rate.", owner=world.owner, due_on=world.day(30))
    request = last_vote(world, world.before_the_last_vote(), conditions=(promise,))
    assert (request.state, request.decision.outcome) == ("decided", "approved_with_conditions")
    condition = Condition.objects.get()
    assert (condition.text, condition.owner, condition.due_on, condition.met_at) == (
        "Watch the error rate.",
        world.owner,
        world.day(30),
        None,
    )
    assert OutboxMessage.objects.order_by("pk").last().payload["occasion"] == "approved_with_conditions"


@pytest.mark.parametrize(("text", "days"), [(" ", 30), ("x" * 401, 30), ("Watch it.", 0), ("Watch it.", -1)])
def test_a_condition_says_what_until_a_day_to_come(world: World, text: str, days: int) -> None:
    request = world.before_the_last_vote()
    with refused(Invalid, field="conditions"):
        last_vote(world, request, conditions=(NewCondition(text=text, owner=world.owner, due_on=world.day(days)),))


def test_the_owner_of_a_condition_can_see_the_request(world: World) -> None:
    request, closed = world.before_the_last_vote(), make_person("gone", Role.REVIEWER, now=world.now)
    people.close_account(user=closed, by=world.cast.admin, now=world.now)
    for owner in (world.cast.outsider, closed):
        assert owner not in readers_of(request)
        with refused(Invalid, match=f"may not see {request.ref}", field="conditions"):
            last_vote(world, request, conditions=(NewCondition(text="Watch.", owner=owner, due_on=world.day(30)),))


def test_conditions_belong_to_the_vote_that_approves(world: World) -> None:
    promise = NewCondition(text="Watch it.", owner=world.owner, due_on=world.day(30))
    request = world.in_review()
    with refused(Invalid, match="Only the approval that completes the last stage", field="conditions"):
        world.vote(request, world.cast.reviewer_one, conditions=(promise,))
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    for choice in (VoteChoice.REJECT, VoteChoice.REQUEST_CHANGES):
        with refused(Invalid, field="conditions"):
            last_vote(world, request, choice=choice, conditions=(promise,))


def test_conditions_are_not_lost_where_the_last_stage_needs_two(world: World) -> None:
    publish(("role: platform_lead\n    quorum: 1", "role: platform_lead\n    quorum: 2"), world.now)
    request = world.before_the_last_vote()
    second = make_person("second.lead", Role.PLATFORM_LEAD, now=world.now)
    promise = NewCondition(text="Watch it.", owner=world.owner, due_on=world.day(30))
    with refused(Invalid, match="that completes the last stage", field="conditions"):
        last_vote(world, request, conditions=(promise,))
    request = last_vote(world, request)
    assert request.state == "in_review"
    request = world.vote(request, second, stage_id="gpu-budget", conditions=(promise,))
    assert (request.decision.outcome, Condition.objects.count()) == ("approved_with_conditions", 1)


def test_a_request_that_costs_nothing_reserves_nothing(world: World) -> None:
    version = make_version(by=world.cast.author, owner=world.owner, now=world.now)
    costs = ("training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd")
    free = walks.DECLARED | dict.fromkeys(costs, "0")
    request = walks.make_ready(by=world.cast.author, now=world.now, version=version, declared=free)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    assert (request.state, LedgerEntry.objects.count()) == ("in_review", 0)
