"""The people of the company, and what each of them may do; those who judge and spend are the demo's own."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from examples.company.cast import PART, PASSWORD
from examples.company.portfolio.world import Company
from governance.people.actions import grants as changes
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant

PRODUCT = ("product", "Pia Product")


@dataclass(frozen=True)
class Staff:
    """Who acts."""

    owners: dict[str, User]
    reviewers: tuple[User, User]
    lead: User
    product: User
    finance: User
    admin: User
    admin2: User

    def owner(self, team: str) -> User:
        """Who owns the models of a team and files for it."""
        return self.owners[team]


def gather(company: Company, *, now: datetime) -> Staff:
    """Make whoever is missing, with their teams and roles; the demo's own people are there already."""
    known = {
        name: User.objects.get(username=name)
        for name in ("reviewer1", "reviewer2", "lead", "finance", "admin", "admin2")
    }
    product = _person(*PRODUCT)
    if not RoleGrant.objects.filter(user=product, role=Role.PRODUCT_LEAD.value).exists():
        change = changes.propose_grant(user=product, role=Role.PRODUCT_LEAD, reason=PART, by=known["admin"], now=now)
        approvals.confirm(change=change, by=known["admin2"], now=now)
    owners = {}
    for team in company.teams:
        row = people.create_team(slug=team.slug, name=team.name, by=known["admin"], now=now)
        owners[team.slug] = _person(team.owner, team.owner_name)
        people.grant_role(user=owners[team.slug], role=Role.REQUESTER, team=row, by=known["admin"], now=now)
    return Staff(
        owners,
        (known["reviewer1"], known["reviewer2"]),
        known["lead"],
        product,
        known["finance"],
        known["admin"],
        known["admin2"],
    )


def _person(username: str, name: str) -> User:
    first, last = name.split()
    user, is_new = User.objects.get_or_create(username=username, defaults={"first_name": first, "last_name": last})
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    return user
