"""Named people and their teams, made through the public actions, so that they obey the rules.

The author files requests of the team "search" and owns its models; two reviewers and an approver (a platform lead)
judge them; a product lead, finance, a data steward, an admin and an auditor hold one role each; the outsider files for
another team and must see nothing.
"""

import time
from dataclasses import dataclass, fields
from datetime import datetime

from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User

from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from tests.remembered import remembered

TEAM, OTHER_TEAM = "search", "ads"
PASSWORD = "correct horse battery"


@remembered
def make_team(*, slug: str = TEAM, now: datetime) -> Team:
    return people.create_team(slug=slug, name=slug.title(), by=None, now=now)


@remembered
def make_person(username: str, *roles: Role, team: Team | None = None, now: datetime) -> User:
    """A user called "Ada Lovelace" for "ada.lovelace"; requesters of `team`, every other role for the whole house."""
    first, _, last = username.replace("_", ".").partition(".")
    user = User.objects.create_user(
        username, f"{username}@example.org", PASSWORD, first_name=first.title(), last_name=last.title()
    )
    for role in roles:
        people.grant_role(user=user, role=role, team=team if role is Role.REQUESTER else None, by=None, now=now)
    return user


def totp_code(secret: str) -> str:
    """What an authenticator app shows now: a code of this half minute, which is also valid in the next."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))


@dataclass(frozen=True)
class Cast:
    """Everybody who plays a part."""

    author: User
    reviewer_one: User
    reviewer_two: User
    approver: User
    product: User
    finance: User
    steward: User
    admin: User
    auditor: User
    outsider: User

    def everybody(self) -> list[User]:
        return [getattr(self, field.name) for field in fields(self)]


@remembered
def make_cast(*, now: datetime) -> Cast:
    home, other = make_team(now=now), make_team(slug=OTHER_TEAM, now=now)
    return Cast(
        author=make_person("author", Role.REQUESTER, team=home, now=now),
        reviewer_one=make_person("reviewer_one", Role.REVIEWER, now=now),
        reviewer_two=make_person("reviewer_two", Role.REVIEWER, now=now),
        approver=make_person("approver", Role.PLATFORM_LEAD, now=now),
        product=make_person("product", Role.PRODUCT_LEAD, now=now),
        finance=make_person("finance", Role.FINANCE, now=now),
        steward=make_person("steward", Role.DATA_STEWARD, now=now),
        admin=make_person("admin", Role.ADMIN, now=now),
        auditor=make_person("auditor", Role.AUDITOR, now=now),
        outsider=make_person("outsider", Role.REQUESTER, team=other, now=now),
    )
