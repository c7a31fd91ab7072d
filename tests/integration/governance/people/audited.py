"""How to call every write of people, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.people.actions import people
from governance.people.domain.roles import Role
from tests.factories.changes import grant
from tests.factories.people import Cast, make_person

Call = Callable[[Cast, datetime], object]


def granted(cast: Cast, now: datetime) -> None:
    second = make_person("second.admin", Role.ADMIN, now=now)
    grant(user=cast.author, role=Role.REVIEWER, by=second, confirmed_by=cast.admin, now=now)


def reopened(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.author, by=cast.admin, now=now)
    people.reopen_account(user=cast.author, by=cast.admin, now=now)


def tokens_ended(cast: Cast, now: datetime) -> None:
    people.create_token(user=cast.author, valid_days=1, by=cast.author, now=now)
    people.end_tokens(user=cast.author, reason="It leaked.", by=None, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.people.actions.grants.propose_grant": granted,
    "governance.people.actions.people.create_team": lambda cast, now: people.create_team(
        slug="maps", name="Maps", by=cast.admin, now=now
    ),
    "governance.people.actions.people.close_account": lambda cast, now: people.close_account(
        user=cast.author, by=cast.admin, now=now
    ),
    "governance.people.actions.people.reopen_account": reopened,
    "governance.people.actions.people.end_tokens": tokens_ended,
    "governance.people.actions.people.grant_role": granted,
    "governance.people.actions.people.revoke_role": lambda cast, now: people.revoke_role(
        user=cast.finance, role=Role.FINANCE, by=cast.admin, now=now
    ),
    "governance.people.actions.people.create_token": lambda cast, now: people.create_token(
        user=cast.author, valid_days=1, by=cast.author, now=now
    ),
}
