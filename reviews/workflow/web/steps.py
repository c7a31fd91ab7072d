"""The steps of requesters and reviewers: submit, request the review, vote, revise, withdraw."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.web.current_user import user_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.queries.rulebook import policy_of
from reviews.voting.domain import VoteChoice
from reviews.workflow.actions import requests
from reviews.workflow.actions import review as reviewing
from reviews.workflow.web.filing import SUBMITTED
from reviews.workflow.web.page import load, perform_step
from reviews.workflow.web.step_forms import PlainForm, StepReasonForm, VoteForm

VOTE_MESSAGES = {
    RequestState.IN_REVIEW: "Your vote is cast.",
    RequestState.CHANGES_REQUESTED: "Your vote is cast; the request goes back for changes.",
    RequestState.DECIDED: "Your vote is cast, and the review is decided.",
}


@require_POST
def submit(request: HttpRequest, ref: str) -> HttpResponse:
    """Fix policy and checklist, and evaluate the policy."""
    row = load(request, ref)

    def act() -> str:
        return SUBMITTED[RequestState(requests.submit(request=row, by=user_of(request), now=timezone.now()).state)]

    return perform_step(request, row, name="submit", form=PlainForm(request.POST), act=act, part="next")


@require_POST
def request_review(request: HttpRequest, ref: str) -> HttpResponse:
    """Freeze the revision and start the review."""
    row = load(request, ref)

    def act() -> str:
        reviewing.request_review(request=row, by=user_of(request), now=timezone.now())
        return "The revision is frozen, its budget is reserved, and the reviewers can vote."

    return perform_step(request, row, name="request_review", form=PlainForm(request.POST), act=act, part="next")


@require_POST
def vote(request: HttpRequest, ref: str) -> HttpResponse:
    """Cast a vote in the stage that the page showed."""
    row = load(request, ref)
    stages = policy_of(row.policy).stages if row.policy else ()
    is_last = bool(stages) and request.POST.get("stage") == stages[-1].id
    form = VoteForm(request.POST, auto_id="vote-%s", may_condition=is_last)

    def act() -> str:
        choice = VoteChoice(form.cleaned_data["choice"])
        after = reviewing.vote(
            request=row,
            stage_id=form.cleaned_data["stage"],
            choice=choice,
            rationale=form.cleaned_data["rationale"],
            conditions=form.new_conditions,
            by=user_of(request),
            now=timezone.now(),
        )
        return VOTE_MESSAGES[RequestState(after.state)]

    return perform_step(request, row, name="vote", form=form, act=act, part="votes")


@require_POST
def revise(request: HttpRequest, ref: str) -> HttpResponse:
    """Open the next revision."""
    row, form = load(request, ref), StepReasonForm(request.POST, auto_id="revise-%s")

    def act() -> str:
        after = requests.revise(
            request=row, reason=form.cleaned_data["reason"], by=user_of(request), now=timezone.now()
        )
        return f"Revision {after.revision} is open; the votes on the previous revision are void."

    return perform_step(request, row, name="revise", form=form, act=act, part="next")


@require_POST
def withdraw(request: HttpRequest, ref: str) -> HttpResponse:
    """Withdraw the request."""
    row, form = load(request, ref), StepReasonForm(request.POST, auto_id="withdraw-%s")

    def act() -> str:
        requests.withdraw(request=row, reason=form.cleaned_data["reason"], by=user_of(request), now=timezone.now())
        return f"{row.ref} is withdrawn."

    return perform_step(request, row, name="withdraw", form=form, act=act, part="next")
