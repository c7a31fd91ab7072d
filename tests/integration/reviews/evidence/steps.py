"""Every step of a request as somebody takes it, with input that nothing is wrong with."""

from collections.abc import Callable
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from governance.jobs import actions as jobs
from reviews.authorizations.models import Condition
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import evidence, requests, review, waivers
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.amendments import Amendment
from reviews.workflow.actions.evidence import StatedValue
from tests.factories.models import make_version
from tests.integration.reviews.workflow.worlds import World
from weighbridge.core.metrics.basis import Basis

Act = Callable[[World, ReviewRequest, User], object]


def edit(world: World, request: ReviewRequest, by: User) -> object:
    filing = requests.Filing(
        title="Another title",
        purpose="Another purpose",
        environment="prod",
        business_case="As before.",
        model_version=request.model_version,
    )
    return requests.edit(request=request, filing=filing, by=by, now=world.now)


def state_metric_value(world: World, request: ReviewRequest, by: User) -> object:
    statement = StatedValue(name="error_rate", value=Decimal("0.01"), unit="ratio", basis=Basis.ESTIMATED)
    return evidence.state_metric_value(request=request, statement=statement, by=by, now=world.now)


def exchange(world: World, request: ReviewRequest, by: User) -> object:
    with transaction.atomic():  # the other version is registered for this step alone
        other = make_version(by=world.cast.author, now=world.now, version="9.9.9", seed=99)
        return amendments.exchange(request=request, version=other, reason="It was trained anew.", by=by, now=world.now)


def vote(stage_id: str, choice: VoteChoice) -> Act:
    return lambda world, request, by: world.vote(request, by, stage_id=stage_id, choice=choice)


ACTIONS: dict[str, Act] = {
    "edit": edit,
    "submit": lambda w, r, by: requests.submit(request=r, by=by, now=w.now),
    "state_metric_value": state_metric_value,
    "answer_item": lambda w, r, by: evidence.answer_item(
        request=r, item_id="rollback-rehearsed", is_attested=True, by=by, now=w.now
    ),
    "explain": lambda w, r, by: evidence.answer_contradiction(
        request=r, name="latency_p95_ms", text="It was another machine.", by=by, now=w.now
    ),
    "request_review": lambda w, r, by: review.request_review(request=r, by=by, now=w.now),
    "approve": vote("technical", VoteChoice.APPROVE),
    "reject": vote("technical", VoteChoice.REJECT),
    "request_changes": vote("technical", VoteChoice.REQUEST_CHANGES),
    "approve_budget": vote("gpu-budget", VoteChoice.APPROVE),
    "waive": lambda w, r, by: waivers.grant(
        request=r, rule_id="accuracy-floor-prod", reason="A ranking has no accuracy.", valid_days=30, by=by, now=w.now
    ),
    "revise": lambda w, r, by: requests.revise(request=r, reason="New weights.", by=by, now=w.now),
    "amend": lambda w, r, by: amendments.amend(
        request=r, amendment=Amendment(title="A clearer title"), reason="It was unclear.", by=by, now=w.now
    ),
    "exchange": exchange,
    "extend": lambda w, r, by: requests.extend(request=r, days=7, reason="We wait for data.", by=by, now=w.now),
    "withdraw": lambda w, r, by: requests.withdraw(request=r, reason="Not needed.", by=by, now=w.now),
    "retry_packet": lambda w, r, by: jobs.retry(row=r.packets.get(), by=by, now=w.now),
    "revoke": lambda w, r, by: authorizations.revoke(
        authorization=r.decision.authorization, reason="It misbehaves.", by=by, now=w.now
    ),
    "confirm": lambda w, r, by: authorizations.confirm_condition(
        condition=Condition.objects.get(authorization__decision__request=r), by=by, now=w.now
    ),
}
