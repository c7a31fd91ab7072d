"""Which teams a new policy treats in another way than the other teams."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from governance.rulebook.domain.policy import Policy, PolicyRule
from governance.rulebook.domain.scopes import Scope


def teams_treated_apart(before: Iterable[Policy], after: Iterable[Policy], *, teams: Collection[str]) -> frozenset[str]:
    """The teams whose rules change, unless they change in the same way for all `teams`.

    `before` and `after` are all policies in force before and after a publication.
    """
    old, new = tuple(before), tuple(after)
    named = {team for policy in (*old, *new) for scope in _scopes_of(policy) for team in scope.teams}
    # The same rules are about all teams that no scope names, so one of them stands for the others.
    others = frozenset(teams) - named
    judged = named.intersection(teams) | ({min(others)} if others else set())
    changes = {team: _rules_for(old, team) ^ _rules_for(new, team) for team in judged}
    if len(set(changes.values())) <= 1:
        return frozenset()
    apart = frozenset(team for team, changed in changes.items() if changed)
    return apart | others if apart & others else apart


def _scopes_of(policy: Policy) -> Iterable[Scope]:
    return (policy.applies_to, *(rule.scope for rule in policy.rules))


def _rules_for(policies: Iterable[Policy], team: str) -> frozenset[tuple[Scope, int, PolicyRule]]:
    """The rules about a team, each with the scope of its policy. Ids, messages and scopes of teams do not matter."""
    return frozenset(
        (replace(policy.applies_to, teams=()), policy.precedence, _without_names(rule))
        for policy in policies
        if not policy.applies_to.teams or team in policy.applies_to.teams
        for rule in policy.rules
        if not rule.scope.teams or team in rule.scope.teams
    )


def _without_names(rule: PolicyRule) -> PolicyRule:
    return replace(rule, id="", message="", scope=replace(rule.scope, teams=()))
