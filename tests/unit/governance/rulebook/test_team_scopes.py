"""Teams that a change of policies treats in another way than others: those that no scope names are judged as one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import Scope
from governance.rulebook.domain.team_scopes import teams_treated_apart
from tests.unit.governance.rulebook.builders import policy, rule

TEAMS = ("ads", "fraud", "maps", "search", "vision")
NAMED = st.lists(st.sampled_from([*TEAMS[:3], "gone"]), unique=True, max_size=2).map(tuple)
LIMITS = st.sampled_from([1, 2])


def made(named: tuple[str, ...], rules: list[tuple[tuple[str, ...], int]]) -> Policy:
    """A policy for some teams whose rules are for some teams; an empty tuple is every team."""
    whole = policy(*(rule(id=f"rule-{number}", limit=limit) for number, (_, limit) in enumerate(rules)))
    of_teams = zip(whole.rules, rules, strict=True)
    scoped = tuple(replace(each, scope=Scope(teams=teams)) for each, (teams, _) in of_teams)
    return replace(whole, applies_to=Scope(teams=named), rules=scoped)


POLICIES = st.lists(st.builds(made, NAMED, st.lists(st.tuples(NAMED, LIMITS), min_size=1, max_size=3)), max_size=2)


def about(policies: list[Policy], team: str) -> set[object]:
    """What binds a team: the limits, with neither names nor teams."""
    return {
        replace(each, id="", message="", scope=Scope())
        for one in policies
        if team in (one.applies_to.teams or TEAMS)
        for each in one.rules
        if team in (each.scope.teams or TEAMS)
    }


@given(POLICIES, POLICIES, st.sets(st.sampled_from(TEAMS)))
def test_they_are_those_of_each_team_alone(before: list[Policy], after: list[Policy], teams: set[str]) -> None:
    changes = {team: frozenset(about(before, team) ^ about(after, team)) for team in teams}
    apart = {team for team, change in changes.items() if change} if len(set(changes.values())) > 1 else set()
    assert teams_treated_apart(before, after, teams=teams) == apart
