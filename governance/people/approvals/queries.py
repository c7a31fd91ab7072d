"""Reads of proposed changes of what binds people."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from governance.people.approvals.enums import ChangeState
from governance.people.approvals.models import RuleChange
from governance.people.approvals.rules import may_confirm_change
from governance.people.domain.roles import Role
from governance.people.queries.people import people_with, person_of
from governance.rulebook.queries.rulebook import Version
from weighbridge.core.errors import NotFound

_RELATED = ("policy", "checklist", "user", "proposed_by", "closed_by")


def listed(*, state: str = "") -> QuerySet[RuleChange]:
    """Changes, the newest first, those of one state or all."""
    rows = RuleChange.objects.select_related(*_RELATED).order_by("-pk")
    return rows.filter(state=state) if state else rows


def closed() -> QuerySet[RuleChange]:
    """Changes that wait for nobody any more, the newest first."""
    return listed().exclude(state=ChangeState.PENDING)


def find(change_id: int) -> RuleChange:
    """One change, or NotFound."""
    change = RuleChange.objects.select_related(*_RELATED).filter(pk=change_id).first()
    if change is None:
        raise NotFound(f"There is no change {change_id}.")
    return change


def open_for(version: Version) -> RuleChange | None:
    """The proposal to publish this version that waits for a second person, if there is one."""
    return version.changes.filter(state=ChangeState.PENDING).first()


def confirmers(change: RuleChange) -> list[User]:
    """Who could confirm it now, by user name."""

    def may_confirm(user: User) -> bool:
        person, gaining_ids = person_of(user), change.gaining_ids
        return may_confirm_change(person, proposed_by_id=change.proposed_by_id, gaining_ids=gaining_ids)

    return [user for user in people_with(Role.ADMIN) if may_confirm(user)]
