"""What still stands between a request and its review: the requester's list of things to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from benchmarking.runs.queries import runs
from governance.rulebook.domain.evaluation import Determination, RuleStatus
from governance.rulebook.domain.policy import Effect
from reviews.evidence.queries.evidence import checklist_status, contradictions_of, determine
from reviews.requests.models import ReviewRequest


@dataclass(frozen=True)
class Obstacle:
    """One thing to settle before a review can be asked for; `part` names the part of the page that settles it."""

    code: str
    reason: str
    part: str


def obstacles(request: ReviewRequest, *, now: datetime) -> tuple[Obstacle, ...]:
    """Everything that `reviews.workflow.actions.review.request_review` would refuse a submitted request for, in its order."""
    return () if request.policy is None else tuple(_found(request, now))


def _found(request: ReviewRequest, now: datetime) -> Iterator[Obstacle]:
    if runs.unfinished(request.ref):
        yield Obstacle("run_unfinished", "A benchmark is still under way; wait for it, or cancel it.", "runs")
    for status in checklist_status(request, now=now):
        if status.item.required and not status.is_complete:
            yield Obstacle("checklist_open", f"{status.item.title}: {status.why}", "checklist")
    for each in contradictions_of(request, now=now):
        if not each.answer:
            yield Obstacle("contradicted", each.contradiction.message, "figures")
    yield from _ruled(determine(request, now=now))


def _ruled(said: Determination) -> Iterator[Obstacle]:
    for each in said.standing():
        if each.status is RuleStatus.INDETERMINATE:
            yield Obstacle("indeterminate", f"{each.rule_id}: {each.why}", "policy")
        elif each.effect is Effect.DENY:
            yield Obstacle("denied", f"{each.rule_id}: {each.why} The policy denies this.", "policy")
