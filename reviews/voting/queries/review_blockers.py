"""Review blockers: the reasons why the review of a request cannot start yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from governance.jobs.enums import UNFINISHED
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.policies import Evaluation
from governance.rulebook.domain.policy import RuleEffect
from reviews.evidence.queries.audits import open_audits
from reviews.evidence.queries.snapshot import EvidenceSnapshot

AUDIT_OPEN = "Run {} measures a signed result of {} again and did not finish; run it again."


@dataclass(frozen=True)
class ReviewBlocker:
    """A reason why the review cannot start. `part` is the anchor of the page section where it can be resolved."""

    code: str
    reason: str
    part: str


def review_blockers(evidence: EvidenceSnapshot) -> tuple[ReviewBlocker, ...]:
    """The blockers of a submitted request, in the order of the page; empty before submission."""
    return () if evidence.request.policy is None else tuple(_blockers(evidence))


def _blockers(evidence: EvidenceSnapshot) -> Iterator[ReviewBlocker]:
    if any(run.state in UNFINISHED for run in evidence.runs):
        yield ReviewBlocker("run_unfinished", "A benchmark is still running; wait for it, or cancel it.", "runs")
    else:
        for audited in open_audits(evidence.request, finished=evidence.runs):
            yield ReviewBlocker("audit_open", AUDIT_OPEN.format(audited.audit_run_id, audited.tool), "runs")
    for status in evidence.checklist:
        if status.item.required and not status.is_complete:
            yield ReviewBlocker("checklist_open", f"{status.item.title}: {status.reason}", "checklist")
    for contradicted in evidence.contradictions:
        if not contradicted.answer:
            yield ReviewBlocker("contradicted", contradicted.contradiction.message, "metric-values")
    yield from _rule_blockers(evidence.policy_evaluation)


def _rule_blockers(evaluation: Evaluation) -> Iterator[ReviewBlocker]:
    for result in evaluation.standing():
        if result.effect is RuleEffect.ADVISE:
            continue  # advice blocks nothing, known or not
        if result.status is RuleStatus.INDETERMINATE:
            yield ReviewBlocker("indeterminate", f"{result.rule_id}: {result.reason}", "policy")
        elif result.effect is RuleEffect.DENY:
            yield ReviewBlocker("denied", f"{result.rule_id}: {result.reason} The policy denies this.", "policy")
