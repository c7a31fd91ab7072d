"""Evaluate the policy on a request each time its metric values change, and start what the result requires."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.domain.alternatives import families_of
from benchmarking.runs.domain.runnable import OPTIMIZED, reason_not_measured
from benchmarking.runs.models import Run
from governance.budgets.actions import budgets
from governance.rulebook.domain.benchmark_plans import AlternativesPlan
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.queries.rulebook import policy_in
from reviews.authorizations.queries.ends import end_by, terms_for
from reviews.authorizations.queries.standing import is_reviewed_before
from reviews.evidence.domain.planned import benchmark_document
from reviews.evidence.models import PolicyEvaluation
from reviews.evidence.queries.evidence import subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot, policy_evaluation_row
from reviews.feed.actions import publish
from reviews.previews.queries.added_needs import reason_of_sum
from reviews.requests import actions as states
from reviews.requests.audit import record
from reviews.requests.domain.deadlines import Deadline, deadline_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.classifications import is_classified_otherwise
from reviews.requests.queries.rulebook import fixed_policy_version
from reviews.tickets import actions as ticket_actions
from weighbridge.optimization.alternatives import ALTERNATIVES

RULE_FIRED = "A rule of the policy requires a review."
REVIEWED_BEFORE = (
    "A review of this artifact was mandatory before in this environment, so a review of it is mandatory again."
)
CLASSIFIED_OTHERWISE = (
    "The same content is registered with another tier, task, kind or format, or for a team with another policy. It is "
    "judged by the strictest of its tiers, and a review of it is mandatory."
)
NO_VARIANTS = "Cheaper variants are made of ONNX files alone."
NO_DATA = "Cheaper variants cannot be measured without evaluation data: choose a data set, or have the rule waived."


def screen(*, request: ReviewRequest, by: User, now: datetime) -> PolicyEvaluation:
    """Evaluate the policy on a request in screening: clear it, or open its review. Runs in the caller's transaction."""
    with transaction.atomic():
        policy_evaluation = _policy_evaluation(request, "submission", now)
        if PolicyOutcome(policy_evaluation.outcome).rank >= PolicyOutcome.REVIEW_REQUIRED.rank:
            _open_review(request, RULE_FIRED, by, now)
        elif is_reviewed_before(request, now=now):
            _open_review(request, REVIEWED_BEFORE, by, now)
        elif is_classified_otherwise(request.model_version, subject=subject_of(request)):
            _open_review(request, CLASSIFIED_OTHERWISE, by, now)
        elif reason := reason_of_sum(EvidenceSnapshot(request, now)):
            _open_review(request, reason, by, now)
        else:
            reason = "No rule of the policy requires a review."
            states.move(request=request, target=RequestState.CLEARED, by=None, now=now, reason=reason)
            terms = terms_for(request.model_version, policy=policy_in(fixed_policy_version(request)))
            end = end_by(request.model_version, days=terms.valid_days, now=now)
            _set_deadline(request, Deadline(end, end))
    return policy_evaluation


def reopen(*, request: ReviewRequest, reason: str, by: User | None, now: datetime) -> None:
    """Open the next revision of a locked request for evidence: void the votes and release the reservation."""
    with transaction.atomic():
        budgets.release(ref=request.ref, key=f"{request.ref}:{request.revision}:revise", by=by, now=now)
        if request.state != RequestState.EVIDENCE:
            states.move(request=request, target=RequestState.EVIDENCE, by=by, now=now, reason=reason)
        request.revision += 1
        request.save(update_fields=["revision"])
        details = {"revision": request.revision}
        record(kind="request.revised", request=request, by=by, now=now, details=details, reason=reason)
        ticket_actions.notify_request_ticket(request=request, occasion="evidence", reason=reason, by=by, now=now)


def start_benchmarks(*, request: ReviewRequest, by: User, now: datetime) -> list[Run]:
    """Queue the benchmarks that the policy plans for the artifact and its cheaper variants, once for the same data."""
    policy = policy_in(fixed_policy_version(request))
    version = request.model_version
    why_not = reason_not_measured(kind=version.kind, format_name=version.format, is_stored=bool(version.stored_as))
    if why_not:
        record(kind="benchmark.not_possible", request=request, by=by, now=now, reason=why_not)
        return []
    planned = [(str(plan.scenario), benchmark_document(plan)) for plan in policy.benchmarks]
    if policy.alternatives is not None and version.format != OPTIMIZED:
        record(kind="benchmark.not_possible", request=request, by=by, now=now, reason=NO_VARIANTS)
    elif policy.alternatives is not None and request.dataset is not None:
        planned.append((ALTERNATIVES, _alternatives(policy.alternatives, request)))
    elif policy.alternatives is not None:
        record(kind="benchmark.not_possible", request=request, by=by, now=now, reason=NO_DATA)
    ref, data = request.ref, request.dataset
    series = ref if request.data_since is None else f"{ref}/r{request.revision}"
    return [
        run_actions.queue(
            key=f"{series}/{name}", version=version, dataset=data, plan=plan, asked_for=ref, by=by, now=now
        )
        for name, plan in planned
    ]


def _alternatives(plan: AlternativesPlan, request: ReviewRequest) -> dict[str, Any]:
    return _rivals(request) | {
        "scenario": ALTERNATIVES,
        "variants": [str(variant) for variant in plan.variants],
        "max_quality_drop": float(plan.max_quality_drop),
        "calibration_rows": plan.calibration_rows,
        "hardware": str(plan.hardware),
    }


def _rivals(request: ReviewRequest) -> dict[str, Any]:
    """The other candidates with the family name of each model; empty if there are none."""
    rivals = list(request.rivals.select_related("asset").order_by("pk"))
    if not rivals:
        return {}
    rows = [request.model_version, *rivals]
    own, *others = families_of([(row.asset.slug, row.version) for row in rows])
    candidates = [
        {"family": family, "version_id": row.pk, "digest": row.digest}
        for family, row in zip(others, rivals, strict=True)
    ]
    return {"family": own, "rivals": candidates}


def _open_review(request: ReviewRequest, reason: str, by: User, now: datetime) -> None:
    states.move(request=request, target=RequestState.EVIDENCE, by=None, now=now, reason=reason)
    request.review_opened_at = now
    request.save(update_fields=["review_opened_at"])
    policy = policy_in(fixed_policy_version(request))
    _set_deadline(request, deadline_of(now, days=policy.deadline_days, grace_days=policy.grace_days))
    ticket_actions.open_ticket(request=request, by=by, now=now)
    start_benchmarks(request=request, by=by, now=now)


def _set_deadline(request: ReviewRequest, deadline: Deadline) -> None:
    request.deadline_at, request.grace_ends_at = deadline.at, deadline.grace_ends_at
    request.save(update_fields=["deadline_at", "grace_ends_at"])


def _policy_evaluation(request: ReviewRequest, occasion: str, now: datetime) -> PolicyEvaluation:
    evidence = EvidenceSnapshot(request, now)
    row, evaluation = policy_evaluation_row(evidence, occasion=occasion), evidence.policy_evaluation
    row.save()
    standing = {result.rule_id: result.status.value for result in evaluation.standing()}
    details = {
        "outcome": evaluation.outcome.value,
        "policy": evaluation.policy_digest,
        "standing": standing,
        "occasion": occasion,
    }
    record(kind="request.policy_evaluated", request=request, by=None, now=now, details=details)
    return row


def evaluate_again(*, request: ReviewRequest, occasion: str, by: User | None = None, now: datetime) -> None:
    """Evaluate the policy again on a submitted, locked request whose metric values changed.

    A cleared request may need a review now.
    """
    if request.policy is None:
        return
    before = request.policy_evaluations.order_by("-pk").values_list("outcome", flat=True).first()
    row = _policy_evaluation(request, occasion, now)
    if request.state == RequestState.CLEARED and (why := _why_not_cleared(row, request, now)):
        _open_review(request, why, by or request.requester, now)
        publish(digest=request.model_version.digest, environment=request.environment, by=by, now=now)
    elif occasion == "evidence" or row.outcome != before:
        ticket_actions.notify_request_ticket(
            request=request, occasion="policy_evaluation", reason=_ticket_text(row), by=None, now=now
        )


def _why_not_cleared(row: PolicyEvaluation, request: ReviewRequest, now: datetime) -> str:
    if PolicyOutcome(row.outcome).rank >= PolicyOutcome.REVIEW_REQUIRED.rank:
        return RULE_FIRED
    return reason_of_sum(EvidenceSnapshot(request, now))


def _ticket_text(row: PolicyEvaluation) -> str:
    results: list[dict[str, Any]] = row.document["results"]
    lines = [result["reason"] for result in results if result["effect"]]
    return "\n".join([f"The policy now says: {row.outcome.replace('_', ' ')}.", *lines])
