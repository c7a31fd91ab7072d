"""Reads of the rulebook: parsed versions of its documents, and differences between versions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User

from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change as Proposal
from governance.rulebook.domain import checklists, metric_catalogs, policy, policy_diff
from governance.rulebook.domain.checklists import Checklist
from governance.rulebook.domain.named_metrics import check_checklist_metrics, check_policy_metrics
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.policy_diff import PolicyDifference
from governance.rulebook.domain.scopes import check_still_complete, check_unambiguous
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import CatalogVersion, ChecklistVersion, Document, PolicyVersion
from governance.rulebook.queries.catalogs import catalog_in_force
from weighbridge.core.errors import NotFound, WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml

Version = PolicyVersion | ChecklistVersion | CatalogVersion


@dataclass(frozen=True)
class RulebookKind:
    """One kind of document: its table, how it is read, what a draft must fulfill, and how versions differ."""

    model: type[Version]
    changed: Changed
    parse: Callable[[Mapping[str, Any]], Any]
    check: Callable[[Any], None]
    diff: Callable[[Any, Any], tuple[PolicyDifference, ...]]


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


def named_metrics() -> frozenset[str]:
    """The metrics that the published policies and checklists name."""
    tables = (PolicyVersion, ChecklistVersion)
    sources = (table.objects.filter(state=DocumentState.PUBLISHED).values_list("source", flat=True) for table in tables)
    policies, lists = (tuple(rows) for rows in sources)
    return frozenset(
        {
            *(rule.metric for source in policies for rule in policy_from(source).rules),
            *(name for source in lists for item in checklist_from(source).items for name in item.metrics),
        }
    )


@lru_cache(maxsize=128)  # versions never change, and parsing the YAML would take half the time of each page
def policy_from(source: str) -> Policy:
    """The policy in the source of a stored version. Parsing cannot fail: a version is checked before it is stored."""
    return policy.parse_policy(parse_yaml(source))


@lru_cache(maxsize=128)
def checklist_from(source: str) -> Checklist:
    """The checklist in the source of a stored version."""
    return checklists.parse_checklist(parse_yaml(source))


def _check_policy(parsed: Policy) -> None:
    """Raise Invalid unless the metrics exist, and unless exactly one policy judges each request afterwards."""
    check_policy_metrics(parsed, catalog=catalog_in_force())
    before = policies_in_force()
    after = policies_with(before, added=parsed)
    check_unambiguous(after)
    check_still_complete(before, after)


def policies_in_force() -> tuple[Policy, ...]:
    """The published policies, by name."""
    rows = PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("name")
    return tuple(policy_from(source) for source in rows.values_list("source", flat=True))


def policies_with(policies: Iterable[Policy], *, added: Policy) -> tuple[Policy, ...]:
    """The policies with another one, in place of that of the same name."""
    return (*policies_without(policies, name=added.name), added)


def policies_without(policies: Iterable[Policy], *, name: str) -> tuple[Policy, ...]:
    """The policies without that of a name."""
    return tuple(each for each in policies if each.name != name)


KINDS: Mapping[str, RulebookKind] = {
    kind.model.plural: kind
    for kind in (
        RulebookKind(
            PolicyVersion,
            Changed.POLICY,
            policy.parse_policy,
            _check_policy,
            policy_diff.diff,
        ),
        RulebookKind(
            ChecklistVersion,
            Changed.CHECKLIST,
            checklists.parse_checklist,
            lambda parsed: check_checklist_metrics(parsed, catalog=catalog_in_force()),
            policy_diff.diff_checklists,
        ),
        RulebookKind(
            CatalogVersion,
            Changed.CATALOG,
            metric_catalogs.parse_catalog,
            lambda parsed: metric_catalogs.check_successor(catalog_in_force(), parsed),
            policy_diff.diff_catalogs,
        ),
    )
}


def kind_of(plural: str) -> RulebookKind:
    """The kind of a plural like "policies". Raises NotFound for another word."""
    if plural not in KINDS:
        raise NotFound(f"The kind must be one of {', '.join(KINDS)}.")
    return KINDS[plural]


def version_of(change: Proposal) -> Version:
    """The version that a change publishes or retires."""
    if change.kind == Changed.POLICY_END:
        return PolicyVersion.objects.get(pk=change.subject_id)
    kind = next(kind for kind in KINDS.values() if kind.changed == change.kind)
    return kind.model.objects.get(pk=change.subject_id)


def check_draft(version: Document) -> None:
    """Raise WrongState unless the version is still a draft."""
    if version.state != DocumentState.DRAFT:
        raise WrongState(f"{version} is {version.state}; only a draft can be published.")


def check_publishable(version: Version) -> None:
    """Raise WrongState unless the version is still a draft, Invalid unless it fits the catalog in force."""
    check_draft(version)
    kind_of(version.plural).check(parsed(version))


def check_retirable(version: PolicyVersion) -> None:
    """Raise WrongState unless the version is in force, Invalid unless every request still has a policy without it."""
    if version.state != DocumentState.PUBLISHED:
        raise WrongState(f"{version} is {version.state}; only a policy in force can be retired.")
    before = policies_in_force()
    check_still_complete(before, policies_without(before, name=version.name))


def versions(kind: str) -> list[VersionRow]:
    """All versions by name, newest first."""
    rows = kind_of(kind).model.objects.select_related("written_by", "published_by").order_by("name", "-number")
    return [row_of(row) for row in rows]


def row_of(version: Version) -> VersionRow:
    """A version for a list; the author of the default versions is "system"."""
    published = _name(version.published_by) if version.published_at else ""
    copied = {name: getattr(version, name) for name in VersionRow.__dataclass_fields__}
    return VersionRow(**copied | {"written_by": _name(version.written_by), "published_by": published})


def find(*, kind: str, name: str, number: int) -> Version:
    """One version, or NotFound."""
    rows = kind_of(kind).model.objects.select_related("written_by", "published_by")
    version = rows.filter(name=name, number=number).first()
    if version is None:
        raise NotFound(f"There is no version {number} of {name}.")
    return version


def policy_version(*, name: str, number: int) -> PolicyVersion:
    """One version of a policy, or NotFound."""
    version = find(kind=PolicyVersion.plural, name=name, number=number)
    assert isinstance(version, PolicyVersion)  # noqa: S101 -- the kind says so
    return version


def in_force(*, kind: str, name: str) -> Version | None:
    """The published version of a name."""
    return kind_of(kind).model.objects.filter(name=name, state=DocumentState.PUBLISHED).first()


def latest(kind: str) -> Version | None:
    """The best base for a new draft: the version published last, otherwise the version written last."""
    rows = kind_of(kind).model.objects
    return rows.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first() or rows.order_by("-pk").first()


def parsed(version: Version) -> Any:
    """The policy, checklist or catalog of a version."""
    return kind_of(version.plural).parse(parse_yaml(version.source))


def policy_in(version: PolicyVersion) -> Policy:
    """The policy of a version."""
    return policy_from(version.source)


def checklist_in(version: ChecklistVersion) -> Checklist:
    """The checklist of a version."""
    return checklist_from(version.source)


def changes(*, before: Version, after: Version) -> tuple[PolicyDifference, ...]:
    """The differences in meaning; both versions must be of the same kind."""
    if type(before) is not type(after):
        raise NotFound("Documents of different kinds cannot be compared.")
    return kind_of(before.plural).diff(parsed(before), parsed(after))


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.username) if user else "the installation"
