"""The policy and the checklist that apply to a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from governance.rulebook.domain.monitoring import Monitoring
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject, applying, chosen
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.queries.rulebook import checklist_in, policies_in_force
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.classifications import strictest_tier_of
from weighbridge.core.errors import NotFound, Refused, WrongState


@dataclass(frozen=True)
class RulebookChoice:
    """The policy version and the checklist that judge a request; `others` are the other policies that cover it."""

    policy: PolicyVersion
    checklist: ChecklistVersion
    others: tuple[Policy, ...]


def rulebook_for(subject: EvaluationSubject) -> RulebookChoice:
    """The policy version in force that judges such a request, and the checklist it names.

    Raises WrongState if there is none, or if its checklist is not published.
    """
    policies = policies_in_force()
    if not policies:
        raise WrongState("No policy is published yet; an administrator must publish one before requests are submitted.")
    covering = applying(policies, subject=subject)
    if not covering:
        described = ", ".join(f"{name} {value}" for name, value in vars(subject).items() if value)
        raise WrongState(
            f"No policy in force judges such a request ({described}); an administrator must publish one.",
            code="no_policy",
        )
    policy = covering[0]
    checklist = ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED, name=policy.checklist).first()
    if checklist is None:
        raise WrongState(
            f"The policy names the checklist {policy.checklist!r}, which is not published; an administrator must "
            "publish it."
        )
    version = PolicyVersion.objects.get(name=policy.name, state=DocumentState.PUBLISHED)
    return RulebookChoice(version, checklist, covering[1:])


def fix_rulebook(request: ReviewRequest, *, choice: RulebookChoice, now: datetime) -> None:
    """Give the request, without saving it, what a submission fixes: policy, checklist, tier, task and time."""
    version = request.model_version
    request.policy, request.checklist = choice.policy, choice.checklist
    request.tier, request.task, request.submitted_at = strictest_tier_of(version), version.asset.task, now


def monitoring_for(subject: EvaluationSubject, *, policies: Iterable[Policy]) -> Monitoring:
    """The monitoring section of that of the policies which judges such a request; the default if there is none."""
    policy = chosen(policies, subject=subject)
    return Monitoring() if policy is None else policy.monitoring


def fixed_policy_version(request: ReviewRequest) -> PolicyVersion:
    """The policy version that was fixed at submission. Raises WrongState before submission."""
    if request.policy is None:
        raise WrongState("The policy of a request is fixed when it is submitted; submit it first.")
    return request.policy


def missing_item(*, request: ReviewRequest, item_id: str) -> Refused:
    """Why an item is not asked: nobody defined it, or what it depends on is stated or answered otherwise."""
    items = checklist_in(request.checklist).items if request.checklist else ()
    for item in items:
        if item.id == item_id:
            text = f"“{item.title}” does not apply, because what it depends on is stated or answered otherwise."
            return WrongState(text, code="item_not_shown", field="item")
    return NotFound(f"The checklist has no item {item_id!r}.", field="item")
