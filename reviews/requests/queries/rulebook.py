"""The policy and the checklist that apply to a request."""

from governance.rulebook.domain.monitoring import Monitoring
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.queries.rulebook import policy_in
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import WrongState


def rulebook_in_force() -> tuple[PolicyVersion, ChecklistVersion]:
    """The latest published policy and the checklist it names. Raises WrongState if either is missing."""
    policy = _policy_in_force()
    if policy is None:
        raise WrongState("No policy is published yet; an administrator must publish one before requests are submitted.")
    name = policy_in(policy).checklist
    checklist = ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED, name=name).first()
    if checklist is None:
        raise WrongState(
            f"The policy names the checklist {name!r}, which is not published; an administrator must publish it."
        )
    return policy, checklist


def monitoring_in_force() -> Monitoring:
    """The monitoring section of the latest published policy; the default if none is published."""
    policy = _policy_in_force()
    return Monitoring() if policy is None else policy_in(policy).monitoring


def _policy_in_force() -> PolicyVersion | None:
    return PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first()


def fixed_policy_version(request: ReviewRequest) -> PolicyVersion:
    """The policy version that was fixed at submission. Raises WrongState before submission."""
    if request.policy is None:
        raise WrongState("The policy of a request is fixed when it is submitted; submit it first.")
    return request.policy
