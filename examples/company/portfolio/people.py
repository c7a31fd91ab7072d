"""The users of the company and their roles. Reviewers, leads and finance are the users of the first part."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from examples.company.portfolio.company_model import Company
from examples.company.users import PART, create_user
from governance.people.actions import grants as changes
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant

PRODUCT = ("product", "Pia Product")


@dataclass(frozen=True)
class Staff:
    """The users who act in the second part."""

    owners: dict[str, User]
    reviewers: tuple[User, User]
    lead: User
    product: User
    finance: User
    steward: User
    admin: User

    def owner(self, team: str) -> User:
        """The owner of the models of a team, who also files its requests."""
        return self.owners[team]


def create_staff(company: Company, *, now: datetime) -> Staff:
    """Create missing users with teams and roles. The users of the first part must exist."""
    names = ("reviewer1", "reviewer2", "lead", "finance", "steward", "admin", "admin2")
    reviewer1, reviewer2, lead, finance, steward, admin, admin2 = (User.objects.get(username=name) for name in names)
    product = create_user(*PRODUCT)
    if not RoleGrant.objects.filter(user=product, role=Role.PRODUCT_LEAD.value).exists():
        change = changes.propose_grant(user=product, role=Role.PRODUCT_LEAD, reason=PART, by=admin, now=now)
        approvals.confirm(change=change, by=admin2, now=now)
    owners = {}
    for team in company.teams:
        row = people.create_team(slug=team.slug, name=team.name, by=admin, now=now)
        owners[team.slug] = create_user(team.owner, team.owner_name)
        people.grant_role(user=owners[team.slug], role=Role.REQUESTER, team=row, by=admin, now=now)
    return Staff(owners, (reviewer1, reviewer2), lead, product, finance, steward, admin)
