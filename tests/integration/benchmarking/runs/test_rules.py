"""Who starts and stops benchmarks: requesters of the model's team, platform leads and administrators."""

import pytest

from benchmarking.runs.rules import check_run
from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed

ALLOWED = {
    ("search", Role.REQUESTER),
    ("search", Role.PLATFORM_LEAD),
    ("search", Role.ADMIN),
    ("ads", Role.PLATFORM_LEAD),
    ("ads", Role.ADMIN),
}


def person(role: Role, *, is_active: bool = True) -> Person:
    teams = frozenset({"search"} if role is Role.REQUESTER else ())
    return Person(7, "ada", roles=frozenset({role}), teams=teams, is_active=is_active)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("team", ["search", "ads"])
def test_a_role_may_what_the_table_says(role: Role, team: str) -> None:
    if (team, role) in ALLOWED:
        check_run(person(role), team=team)
    else:
        with pytest.raises(NotAllowed, match="Only requesters of the model's team, platform leads and administrators"):
            check_run(person(role), team=team)


@pytest.mark.parametrize("role", list(Role))
def test_an_inactive_person_runs_nothing(role: Role) -> None:
    with pytest.raises(NotAllowed, match=r"not active\. Ask an administrator"):
        check_run(person(role, is_active=False), team="search")


def test_a_role_alone_without_the_team_is_not_enough() -> None:
    stranger = Person(7, "ada", roles=frozenset({Role.REQUESTER}))
    with pytest.raises(NotAllowed, match="Only requesters of the model's team"):
        check_run(stranger, team="search")
