"""The steps of a review: submit, request the review, vote, revise, withdraw, waive a rule; and those after it: packets,
conditions, revoking an authorization.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.jobs import actions as jobs
from governance.people.web.current_user import person_of
from governance.rulebook.queries.rulebook import checklist_in, policy_in
from reviews.authorizations.models import Authorization, Condition
from reviews.packets import actions as packet_actions
from reviews.packets.models import Packet
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import first_of, readers_of
from reviews.snapshots.queries.allowed_steps import check_can_lift, check_can_revoke
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import check_can_vote, voting_rights_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations, requests, waivers
from reviews.workflow.actions import review as reviewing
from reviews.workflow.queries.view_authorization import earlier_condition_views
from reviews.workflow.queries.view_course import VotingRightView, packet_views, voting_right_views
from reviews.workflow.web.page.stepping import perform_step, step
from reviews.workflow.web.page.views import load
from reviews.workflow.web.page.vote_form import VoteForm, stages_to_choose
from reviews.workflow.web.step_forms import ExtensionForm, PlainForm, SeenReasonForm, StepReasonForm, WaiverForm
from weighbridge.core.errors import Invalid

VOTE_MESSAGES = {
    RequestState.IN_REVIEW: "Your vote is cast.",
    RequestState.CHANGES_REQUESTED: "Your vote is cast; the request goes back for changes.",
    RequestState.DECIDED: "Your vote is cast, and the review is decided.",
}


@step("request_review", part="next")
def request_review(**given: Any) -> str:
    """Freeze the revision and start the review."""
    reviewing.request_review(**given)
    return "The revision is frozen, its budget is reserved, and the reviewers can vote."


@require_POST
def vote(request: HttpRequest, ref: str) -> HttpResponse:
    """Cast a vote in the stage that the page showed."""
    row = load(request, ref)
    snapshot = snapshot_of(row, now=timezone.now())
    rights = voting_right_views(voting_rights_of(snapshot, person=person_of(request)))
    name, electorate = request.POST.get("in_place_of", ""), snapshot.electorate
    stage_id = _stage_of(request.POST.get("stage", ""), name, rights)
    is_last = any(electorate.may_settle(stage) for stage in electorate.stages if stage.id == stage_id)
    form = VoteForm(
        request.POST,
        auto_id="vote-%s",
        rights=rights,
        people=readers_of(row),
        may_condition=is_last,
        earlier=earlier_condition_views(snapshot, person=person_of(request)),
    )

    def act(*, choice: str, revision: int | None, rationale: str, by: User, now: datetime, **_: Any) -> str:
        if form.comes_too_early:
            check_can_vote(snapshot, person=person_of(request), stage_id=stage_id, in_place_of=name)
            raise Invalid(reviewing.CONDITIONS_COME_LAST, field="conditions")
        new = reviewing.NewVote(
            stage_id=stage_id,
            choice=VoteChoice(choice),
            rationale=rationale,
            revision=revision,
            conditions=(*form.new_conditions, *form.lifted_conditions),
            in_place_of=name,
        )
        after = reviewing.cast(request=row, vote=new, by=by, now=now)
        return VOTE_MESSAGES[RequestState(after.state)]

    return perform_step(request, row, name="vote", form=form, act=act, part="votes")


def _stage_of(chosen: str, name: str, rights: Sequence[VotingRightView]) -> str:
    """The chosen stage; if a person cannot choose one, that of the absent person in whose name the vote is.

    A vote is refused rather than cast in another stage than the chosen one.
    """
    of_name = [right.stage for right in rights if name and right.in_place_of == name]
    return of_name[0] if of_name and not stages_to_choose(rights) else chosen


@step("revise", part="next", form=SeenReasonForm)
def revise(**given: Any) -> str:
    """Open the next revision."""
    after = requests.revise(**given)
    return f"Revision {after.revision} is open; the votes on the previous revision are void."


@step("withdraw", part="next", form=StepReasonForm)
def withdraw(**given: Any) -> str:
    """Withdraw the request."""
    return f"{requests.withdraw(**given).ref} is withdrawn."


@step("extend", part="next", form=ExtensionForm)
def extend(**given: Any) -> str:
    """Extend the deadline, once."""
    return f"The deadline is now {requests.extend(**given).deadline_at:%Y-%m-%d}."


@require_POST
def waive(request: HttpRequest, ref: str) -> HttpResponse:
    """Waive a soft rule, or an item that does not apply, for some days."""
    row = load(request, ref)
    rules = [(rule.id, rule.condition) for rule in policy_in(row.policy).rules] if row.policy else []
    items = [(item.id, item.title) for item in checklist_in(row.checklist).items] if row.checklist else []
    form = WaiverForm(request.POST, auto_id="waive-%s", rules=rules, items=items)

    def act(*, valid_days: int, **given: Any) -> str:
        rule_id, item_id = form.waived
        del given["rule"]
        waivers.grant(rule_id=rule_id, item_id=item_id, valid_days=valid_days, **given)
        return f"“{form.waived_words}” is waived for {valid_days} days, and the policy was evaluated again."

    return perform_step(request, row, name="waive", form=form, act=act, part="policy")


@step("take_back", part="votes", form=SeenReasonForm)
def take_back(**given: Any) -> str:
    """Take one's own vote back."""
    reviewing.take_back(**given)
    return "Your vote is taken back. You can vote again."


@require_http_methods(["GET", "HEAD", "POST"])
def packets(request: HttpRequest, ref: str) -> HttpResponse:
    """The current state of the packets; the page polls it while a packet is printed. POST freezes a new packet."""
    row = load(request, ref)
    if request.method != "POST":
        snapshot = snapshot_of(row, now=timezone.now())
        context = {"ref": ref, "packets": packet_views(snapshot, person=person_of(request))}
        return render(request, "reviews/workflow/_fragments/packets.html", context)

    def act(**given: Any) -> str:
        return f"Packet {packet_actions.request_packet(**given).number} is frozen and is being printed."

    return perform_step(request, row, name="packet", form=PlainForm(request.POST), act=act, part="packets")


@step("packet", part="packets")
def retry_packet(*, request: ReviewRequest, number: int, by: User, now: datetime) -> str:
    """Print a packet again."""
    jobs.retry(row=packet_of(request, number), by=by, now=now)
    return f"Packet {number} is being printed again."


@require_POST
def revoke(request: HttpRequest, ref: str) -> HttpResponse:
    """Revoke the authorization."""
    row, form = load(request, ref), StepReasonForm(request.POST, auto_id="revoke-%s")
    authorization = authorization_of(row)

    def act(*, reason: str, by: User, now: datetime, **_: Any) -> str:
        authorizations.revoke(authorization=authorization, reason=reason, by=by, now=now)
        return f"{authorization.number} is revoked; the gate denies this artifact from now on."

    check = partial(check_can_revoke, authorization, person=person_of(request))
    return perform_step(request, row, name="revoke", form=form, act=act, part="authorization", check=check)


@step("condition", part="authorization")
def confirm_condition(*, request: ReviewRequest, condition_id: int, by: User, now: datetime) -> str:
    """Confirm that a condition is met."""
    authorizations.confirm_condition(condition=condition_of(request, condition_id), by=by, now=now)
    return "The condition is met."


@require_POST
def lift_condition(request: HttpRequest, ref: str, condition_id: int) -> HttpResponse:
    """Lift a condition without its being met."""
    row, form = load(request, ref), StepReasonForm(request.POST, auto_id=f"lift-{condition_id}-%s")
    condition = condition_of(row, condition_id)

    def act(*, reason: str, by: User, now: datetime, **_: Any) -> str:
        authorizations.lift_condition(condition=condition, reason=reason, by=by, now=now)
        return "The condition is lifted."

    snapshot = snapshot_of(row, now=timezone.now())
    check = partial(check_can_lift, snapshot, person=person_of(request), condition=condition)
    return perform_step(
        request, row, name=f"lift:{condition_id}", form=form, act=act, part="authorization", check=check
    )


def condition_of(row: ReviewRequest, condition_id: int) -> Condition:
    """The condition with that id of the authorization of the request."""
    rows = Condition.objects.filter(pk=condition_id, authorization__decision__request=row)
    return first_of(rows.select_related("set_by"), otherwise=f"{row.ref} has no such condition.")


def packet_of(row: ReviewRequest, number: int) -> Packet:
    """The packet with that number."""
    return first_of(row.packets.filter(number=number), otherwise=f"{row.ref} has no packet {number}.")


def authorization_of(row: ReviewRequest) -> Authorization:
    """The authorization of an approved request."""
    rows = Authorization.objects.filter(decision__request=row)
    return first_of(rows, otherwise=f"{row.ref} has no authorization.")
