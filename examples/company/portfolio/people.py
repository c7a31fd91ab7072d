"""The users of the company and their roles. Reviewers, leads and finance are the users of the first part."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from examples.company.portfolio.company_model import Company
from examples.company.users import PART, PASSWORD
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
    admin: User
    admin2: User

    def owner(self, team: str) -> User:
        """The owner of the models of a team, who also files its requests."""
        return self.owners[team]


def create_staff(company: Company, *, now: datetime) -> Staff:
    """Create missing users with teams and roles. The users of the first part must exist."""
    existing = {
        name: User.objects.get(username=name)
        for name in ("reviewer1", "reviewer2", "lead", "finance", "admin", "admin2")
    }
    product = _person(*PRODUCT)
    if not RoleGrant.objects.filter(user=product, role=Role.PRODUCT_LEAD.value).exists():
        change = changes.propose_grant(user=product, role=Role.PRODUCT_LEAD, reason=PART, by=existing["admin"], now=now)
        approvals.confirm(change=change, by=existing["admin2"], now=now)
    owners = {}
    for team in company.teams:
        row = people.create_team(slug=team.slug, name=team.name, by=existing["admin"], now=now)
        owners[team.slug] = _person(team.owner, team.owner_name)
        people.grant_role(user=owners[team.slug], role=Role.REQUESTER, team=row, by=existing["admin"], now=now)
    return Staff(
        owners,
        (existing["reviewer1"], existing["reviewer2"]),
        existing["lead"],
        product,
        existing["finance"],
        existing["admin"],
        existing["admin2"],
    )


def _person(username: str, name: str) -> User:
    first, last = name.split()
    user, is_new = User.objects.get_or_create(username=username, defaults={"first_name": first, "last_name": last})
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    return user
