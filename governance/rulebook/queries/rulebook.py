"""Reads of the rulebook: parsed versions of policies and checklists, and differences between versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change as Proposal
from governance.rulebook.domain import checklists, policy, policy_diff
from governance.rulebook.domain.checklists import Checklist
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.policy_diff import PolicyDifference
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, Document, PolicyVersion
from weighbridge.core.errors import NotFound, WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml

Version = PolicyVersion | ChecklistVersion
KINDS: Mapping[str, type[PolicyVersion] | type[ChecklistVersion]] = {
    kind.plural: kind for kind in (PolicyVersion, ChecklistVersion)
}


@dataclass(frozen=True)
class VersionRow:
    """A version as a list shows it."""

    name: str
    number: int
    state: str
    digest: str
    written_by: str
    written_at: datetime
    published_by: str
    published_at: datetime | None

    @property
    def previous(self) -> int:
        """The previous version number; numbers have no gaps."""
        return self.number - 1


def model_of(kind: str) -> type[PolicyVersion] | type[ChecklistVersion]:
    """The table of "policies" or "checklists"."""
    if kind not in KINDS:
        raise NotFound("The kind must be policies or checklists.")
    return KINDS[kind]


def version_of(change: Proposal) -> Version:
    """The policy or checklist version that a change publishes."""
    kind = PolicyVersion if change.kind == Changed.POLICY else ChecklistVersion
    return kind.objects.get(pk=change.subject_id)


def check_draft(version: Document) -> None:
    """Raise WrongState unless the version is still a draft."""
    if version.state != DocumentState.DRAFT:
        raise WrongState(f"{version} is {version.state}; only a draft can be published.")


def versions(kind: str) -> list[VersionRow]:
    """All versions by name, newest first."""
    rows = model_of(kind).objects.select_related("written_by", "published_by").order_by("name", "-number")
    return [row_of(row) for row in rows]


def row_of(version: Version) -> VersionRow:
    """A version for a list; the author of the default versions is "system"."""
    published = _name(version.published_by) if version.published_at else ""
    copied = {name: getattr(version, name) for name in VersionRow.__dataclass_fields__}
    return VersionRow(**copied | {"written_by": _name(version.written_by), "published_by": published})


def find(*, kind: str, name: str, number: int) -> Version:
    """One version, or NotFound."""
    rows = model_of(kind).objects.select_related("written_by", "published_by")
    version = rows.filter(name=name, number=number).first()
    if version is None:
        raise NotFound(f"There is no version {number} of {name}.")
    return version


def in_force(*, kind: str, name: str) -> Version | None:
    """The published version of a name."""
    return model_of(kind).objects.filter(name=name, state=DocumentState.PUBLISHED).first()


def latest(kind: str) -> Version | None:
    """The best base for a new draft: the version published last, otherwise the version written last."""
    rows = model_of(kind).objects
    return rows.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first() or rows.order_by("-pk").first()


def policy_in(version: PolicyVersion) -> Policy:
    """The policy of a version."""
    return policy.parse_policy(parse_yaml(version.source))


def checklist_in(version: ChecklistVersion) -> Checklist:
    """The checklist of a version."""
    return checklists.parse_checklist(parse_yaml(version.source))


def changes(*, before: Version, after: Version) -> tuple[PolicyDifference, ...]:
    """The differences in meaning; both versions must be of the same kind."""
    if isinstance(before, PolicyVersion) and isinstance(after, PolicyVersion):
        return policy_diff.diff(policy_in(before), policy_in(after))
    if isinstance(before, ChecklistVersion) and isinstance(after, ChecklistVersion):
        return policy_diff.diff_checklists(checklist_in(before), checklist_in(after))
    raise NotFound("A policy and a checklist cannot be compared.")


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.username) if user else "the installation"
