"""Which teams a new policy treats in another way than the other teams."""

from collections.abc import Collection
from dataclasses import replace

from governance.rulebook.domain.policy import Policy, PolicyRule


def teams_treated_apart(before: Policy | None, after: Policy, *, teams: Collection[str]) -> frozenset[str]:
    """The teams whose rules change, unless they change in the same way for all `teams`."""
    changes = {team: _rules_for(before, team) ^ _rules_for(after, team) for team in teams}
    if len(set(changes.values())) <= 1:
        return frozenset()
    return frozenset(team for team, changed in changes.items() if changed)


def _rules_for(policy: Policy | None, team: str) -> frozenset[PolicyRule]:
    """The rules about a team. Their ids, messages and scopes of teams do not matter."""
    if policy is None:
        return frozenset()
    return frozenset(
        replace(rule, id="", message="", scope=replace(rule.scope, teams=()))
        for rule in policy.rules
        if not rule.scope.teams or team in rule.scope.teams
    )
