"""Parse stored policies and checklists, and find the ones that apply to a request."""

from functools import lru_cache

from governance.rulebook.domain import checklists
from governance.rulebook.domain.checklists import Checklist
from governance.rulebook.domain.monitoring import Monitoring
from governance.rulebook.domain.policy import Policy, parse_policy
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml


def policy_of(version: PolicyVersion) -> Policy:
    """The parsed policy of a version. Parsing cannot fail: a version is checked before it is stored."""
    return _parsed_policy(version.source)


def checklist_of(version: ChecklistVersion) -> Checklist:
    """The parsed checklist of a version."""
    return _parsed_checklist(version.source)


@lru_cache(maxsize=32)  # versions never change, and parsing the YAML would take half the time of each page
def _parsed_policy(source: str) -> Policy:
    return parse_policy(parse_yaml(source))


@lru_cache(maxsize=32)
def _parsed_checklist(source: str) -> Checklist:
    return checklists.parse_checklist(parse_yaml(source))


def rulebook_in_force() -> tuple[PolicyVersion, ChecklistVersion]:
    """The latest published policy and the checklist it names. Raises WrongState if either is missing."""
    policy = _policy_in_force()
    if policy is None:
        raise WrongState("No policy is published yet; an administrator must publish one before requests are submitted.")
    name = policy_of(policy).checklist
    checklist = ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED, name=name).first()
    if checklist is None:
        raise WrongState(
            f"The policy names the checklist {name!r}, which is not published; an administrator must publish it."
        )
    return policy, checklist


def monitoring_in_force() -> Monitoring:
    """The monitoring section of the latest published policy; the default if none is published."""
    policy = _policy_in_force()
    return Monitoring() if policy is None else policy_of(policy).monitoring


def _policy_in_force() -> PolicyVersion | None:
    return PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first()


def fixed_policy_version(request: ReviewRequest) -> PolicyVersion:
    """The policy version that was fixed at submission. Raises WrongState before submission."""
    if request.policy is None:
        raise WrongState("The policy of a request is fixed when it is submitted; submit it first.")
    return request.policy
