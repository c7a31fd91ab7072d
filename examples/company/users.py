"""The users of the demo, with roles, budget and API tokens."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User

from benchmarking.runs.actions import sandbox as sandbox_writes
from benchmarking.runs.queries import sandbox
from governance.accounts.domain import DEMO_PASSWORD
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.people.actions import grants as changes
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from weighbridge.systems.sandbox.bubblewrap import layers_here

PASSWORD = DEMO_PASSWORD
TEAM, TEAM_NAME = "visual-search", "Visual Search"
BUDGETS = {BudgetUnit.USD: Decimal(60_000), BudgetUnit.GPU_H: Decimal(2_000)}
ADMINS, PART = ("admin", "admin2"), "The role of this person in the demo."
OWN_MODELS = "The demo trained its models itself."


@dataclass(frozen=True)
class Member:
    """One user of the demo."""

    username: str
    name: str
    roles: tuple[Role, ...]


MEMBERS = (
    Member("requester", "Robin Requester", (Role.REQUESTER,)),
    Member("owner", "Oona Owner", (Role.REQUESTER,)),
    Member("reviewer1", "Rune Reviewer", (Role.REVIEWER,)),
    Member("reviewer2", "Rhea Reviewer", (Role.REVIEWER,)),
    Member("lead", "Lee Lead", (Role.PLATFORM_LEAD,)),
    Member("finance", "Fay Finance", (Role.FINANCE,)),
    Member("steward", "Stella Steward", (Role.DATA_STEWARD,)),
    Member("admin", "Ada Admin", (Role.ADMIN,)),
    Member("admin2", "Abel Admin", (Role.ADMIN,)),
    Member("auditor", "Aud Auditor", (Role.AUDITOR,)),
)


def create_users(*, now: datetime) -> dict[str, User]:
    """Create missing users with roles and budget. Returns the users by name."""
    found = {}
    for member in MEMBERS:
        found[member.username] = create_user(member.username, member.name, is_staff=Role.ADMIN in member.roles)
    _give_roles(found, now=now)
    team = people.create_team(slug=TEAM, name=TEAM_NAME, by=None, now=now)
    quarter = str(Quarter.of(now.date()))
    for unit, amount in BUDGETS.items():
        _top_up(team, quarter=quarter, unit=unit, amount=amount, by=found["finance"], now=now)
    return found


def create_user(username: str, name: str, *, is_staff: bool = False) -> User:
    """Create a user with the password of the demo, unless the user exists."""
    first, last = name.split()
    names = {"first_name": first, "last_name": last, "is_staff": is_staff}
    user, is_new = User.objects.get_or_create(username=username, defaults=names)
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    return user


def _give_roles(users: dict[str, User], *, now: datetime) -> None:
    """Create two administrators from the server; both are needed for roles that need two people."""
    for name in ADMINS:
        people.grant_role(user=users[name], role=Role.ADMIN, by=None, now=now)
    first, second = (users[name] for name in ADMINS)
    team = people.create_team(slug=TEAM, name=TEAM_NAME, by=None, now=now)
    for member in MEMBERS:
        user = users[member.username]
        for role in set(member.roles) - person_of(user).roles:
            if role in BINDING:
                change = changes.propose_grant(user=user, role=role, reason=PART, by=first, now=now)
                approvals.confirm(change=change, by=second, now=now)
            else:
                people.grant_role(
                    user=user, role=role, team=team if role is Role.REQUESTER else None, by=first, now=now
                )


def _top_up(team: Team, *, quarter: str, unit: BudgetUnit, amount: Decimal, by: User, now: datetime) -> None:
    """Allocate the budget for one more run of the demo, because the demo can be repeated."""
    accounts = BudgetAccount.objects.filter(center__level="team", center__team=team, quarter=quarter, unit=unit)
    count = LedgerEntry.objects.filter(account=accounts.first(), kind="allocate").count() if accounts else 0
    key = f"demo:{quarter}:{unit}:{count}"
    budgets.allocate(holder=team, quarter=quarter, unit=unit, amount=amount, key=key, by=by, now=now)


def token_for(user: User, *, now: datetime) -> str:
    """A token that is valid for one day."""
    return people.create_token(user=user, valid_days=1, by=None, now=now)


def allow_unsandboxed_runs(*, by: User, confirmed_by: User, now: datetime) -> None:
    """Allow runs without bubblewrap if it is missing, because the demo trains its own models. This is recorded."""
    if layers_here().bubblewrap is not None or sandbox.may_skip_bubblewrap():
        return
    proposed = sandbox.proposed() or sandbox_writes.choose(may_skip_bubblewrap=True, reason=OWN_MODELS, by=by, now=now)
    if isinstance(proposed, Change):
        approvals.confirm(change=proposed, by=confirmed_by, now=now)
