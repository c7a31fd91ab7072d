"""What still stands between a request and its review: the requester's list of things to do."""

from collections.abc import Iterator
from dataclasses import dataclass

from governance.jobs.enums import UNFINISHED
from governance.rulebook.domain.evaluation import Evaluation, RuleStatus
from governance.rulebook.domain.policy import RuleEffect
from reviews.evidence.queries.snapshot import EvidenceSnapshot


@dataclass(frozen=True)
class ReviewBlocker:
    """One thing to settle before a review can be asked for; `part` names the part of the page that settles it."""

    code: str
    reason: str
    part: str


def review_blockers(evidence: EvidenceSnapshot) -> tuple[ReviewBlocker, ...]:
    """Everything that asking for the review of a submitted request is refused for, in its order."""
    return () if evidence.request.policy is None else tuple(_found(evidence))


def _found(evidence: EvidenceSnapshot) -> Iterator[ReviewBlocker]:
    if any(run.state in UNFINISHED for run in evidence.runs):
        yield ReviewBlocker("run_unfinished", "A benchmark is still under way; wait for it, or cancel it.", "runs")
    for status in evidence.checklist:
        if status.item.required and not status.is_complete:
            yield ReviewBlocker("checklist_open", f"{status.item.title}: {status.why}", "checklist")
    for each in evidence.contradictions:
        if not each.answer:
            yield ReviewBlocker("contradicted", each.contradiction.message, "metric-values")
    yield from _ruled(evidence.policy_evaluation)


def _ruled(said: Evaluation) -> Iterator[ReviewBlocker]:
    for each in said.standing():
        if each.status is RuleStatus.INDETERMINATE:
            yield ReviewBlocker("indeterminate", f"{each.rule_id}: {each.why}", "policy")
        elif each.effect is RuleEffect.DENY:
            yield ReviewBlocker("denied", f"{each.rule_id}: {each.why} The policy denies this.", "policy")
