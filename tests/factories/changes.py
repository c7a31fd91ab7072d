"""What two people change: one proposes, another confirms."""

from datetime import datetime
from typing import TypeVar

from django.contrib.auth.models import User

from governance.bills.models import AllocationVersion
from governance.people.actions import grants
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.rulebook.actions import publication
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from tests.factories.people import Cast

Version = TypeVar("Version", PolicyVersion, ChecklistVersion, AllocationVersion)
REASON = "The quarter's review asked for it."


def propose(*, version: PolicyVersion | ChecklistVersion | AllocationVersion, by: User, now: datetime) -> Change:
    return publication.propose_publication(version=version, reason=REASON, by=by, now=now)


def publish(*, version: Version, cast: Cast, now: datetime) -> Version:
    """The lead proposes, the administrator confirms."""
    approvals.confirm(change=propose(version=version, by=cast.approver, now=now), by=cast.admin, now=now)
    version.refresh_from_db()
    return version


def grant(*, user: User, role: Role, by: User, confirmed_by: User, now: datetime) -> RoleGrant:
    """One administrator proposes, another confirms."""
    change = grants.propose_grant(user=user, role=role, reason=REASON, by=by, now=now)
    approvals.confirm(change=change, by=confirmed_by, now=now)
    return RoleGrant.objects.get(user=user, role=role.value)
