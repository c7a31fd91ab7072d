"""Apply the immediate effects of a meeting decision through the regular actions, with their permission checks."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.budgets.actions import budget_changes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import lock_accounts
from governance.inventory.models import ModelAsset
from governance.people.models import Team
from governance.people.queries.people import person_of
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import MeetingDecision
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import open_stage_for
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, review
from weighbridge.core.errors import Invalid, WrongState


def apply(*, decision: MeetingDecision, revision_seen: int | None = None, by: User, now: datetime) -> str:
    """Apply the effects of the decision in the caller's transaction. Returns a sentence that describes them.

    An approval is cast on the revision of the request that was seen, or not at all; None says nothing about it.
    """
    with transaction.atomic():
        effect, item = _apply(decision, revision_seen, by, now), decision.item
        details = {"item": item.title, "kind": decision.kind}
        record_cycle_event(kind="carried_out", cycle=item.cycle, by=by, now=now, details=details, reason=effect)
    return effect


def _apply(order: MeetingDecision, revision_seen: int | None, by: User, now: datetime) -> str:
    item, kind = order.item, DecisionKind(order.kind)
    if kind is DecisionKind.RETIRE and item.asset is not None:
        return _retire(item.asset, order, by, now)
    if kind is DecisionKind.RE_REVIEW and item.asset is not None:
        return _review_again(item.asset, order, by, now)
    if kind is DecisionKind.APPROVE_INVESTMENT and item.request is not None:
        return _approve(item.request, order, revision_seen, by, now)
    if kind is DecisionKind.BUDGET_CHANGE and item.team is not None:
        return _change_budget(item.team, order, by, now)
    return kind.implies


def _retire(asset: ModelAsset, order: MeetingDecision, by: User, now: datetime) -> str:
    rows = _valid_authorizations(asset)
    for row in rows:
        reason = f"Retired by the quarterly review: {order.rationale}"
        authorizations.revoke(authorization=row, reason=reason, by=by, now=now)
    if not rows:
        return "The model has no authorization, so nothing was revoked."
    return f"Revoked: {', '.join(row.number for row in rows)}."


def _review_again(asset: ModelAsset, order: MeetingDecision, by: User, now: datetime) -> str:
    rows = [row for row in _valid_authorizations(asset) if row.state in IN_FORCE]
    text = f"Have {asset.name} reviewed again, as decided in the quarterly review."
    for row in rows:
        authorizations.add_condition(
            authorization=row, text=text, owner=order.owner, due_on=order.due_on, by=by, now=now
        )
    if not rows:
        return "The model has no authorization in force; file a new request to have it reviewed."
    numbers = ", ".join(row.number for row in rows)
    return f"Must be reviewed again by {order.due_on:%Y-%m-%d}, or will be suspended: {numbers}."


def _approve(request: ReviewRequest, order: MeetingDecision, revision_seen: int | None, by: User, now: datetime) -> str:
    stage = open_stage_for(snapshot_of(request, now=now), person=person_of(by))
    if stage is None:
        raise WrongState(
            f"You cannot vote on {request.ref} now: none of its stages is open to you. Ask an eligible reviewer to "
            "approve it on its page, and record a different decision here.",
            code="no_vote",
        )
    row = review.vote(
        request=request,
        stage_id=stage.id,
        choice=VoteChoice.APPROVE,
        revision=revision_seen,
        rationale=order.rationale,
        by=by,
        now=now,
    )
    state = row.state.replace("_", " ")
    return f"A vote to approve {request.ref} was cast in stage {stage.title}; the request is {state}."


def _change_budget(team: Team, order: MeetingDecision, by: User, now: datetime) -> str:
    quarter = str(Quarter.of(now))
    account = BudgetAccount.objects.filter(
        center__team=team, center__level=CenterLevel.TEAM, quarter=quarter, unit=BudgetUnit.USD
    ).first()
    if account is None or order.amount_usd is None:
        raise Invalid(
            f"{team.name} has no budget in USD for {quarter}; finance must allocate one first.", field="amount_usd"
        )
    rebooking = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=order.amount_usd)
    reason = f"Decided by the quarterly review: {order.rationale}"
    change = budget_changes.propose(wish=rebooking, reason=reason, by=by, now=now)
    return f"{change} is proposed: {change.description}. A second person must confirm it."


def _valid_authorizations(asset: ModelAsset) -> list[Authorization]:
    """All of them and the accounts of their commitments are locked before the first change is recorded."""
    states = [*IN_FORCE, AuthorizationState.SUSPENDED]
    rows = Authorization.objects.filter(decision__request__model_version__asset=asset, state__in=states)
    refs = list(rows.values_list("decision__request__ref", flat=True))
    lock_accounts(Q(entries__request_ref__in=refs))
    return list(rows.filter(decision__request__ref__in=refs).select_for_update(of=("self",)).order_by("pk"))
