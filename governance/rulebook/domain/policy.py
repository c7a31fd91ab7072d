"""The review policy: structured rules over metrics, the stages of a review, and the benchmark plans.

There is no expression language: a rule states a condition that must HOLD, and fires if it does not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from governance.rulebook.domain.benchmark_plans import (
    AlternativesPlan,
    BenchmarkPlan,
    read_alternatives,
    read_benchmark,
)
from governance.rulebook.domain.evaluation.inheritance import Inheritance, read_inheritance
from governance.rulebook.domain.metric_limits import MetricLimit, limit_fields, read_limit
from governance.rulebook.domain.monitoring import DAYS_MAX, Monitoring, read_monitoring
from governance.rulebook.domain.scopes import Scope, read_scope
from governance.rulebook.domain.stages import Stage, check_order, read_stage
from governance.rulebook.domain.trust import Trust, read_trust
from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import API_VERSION, Reader, check_unique

KIND = "ReviewPolicy"
PRECEDENCE_MAX = 1_000
FORMER_OWNER_DAYS = 90
GRACE_DAYS_MAX = 30
ALIAS_DAYS_MAX = 30
"""The longest time for which anybody can answer for a model that its provider may change under the same name."""
SET_NAME = re.compile(r"[^@]{1,120}(@[1-9][0-9]{0,5})?")


class RuleEffect(StrEnum):
    """The effect of a rule that fires, mildest first."""

    ADVISE = "advise"
    REQUIRE_REVIEW = "require_review"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """1 for the mildest, 3 for the strictest; 0 means no effect."""
        return _RANKS[self]


_RANKS = {effect: rank for rank, effect in enumerate(RuleEffect, start=1)}


class WaiverLevel(StrEnum):
    """Whether a rule may be waived."""

    SOFT = "soft"
    HARD = "hard"


class Combination(StrEnum):
    """How many of the limits of a rule must hold."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class PolicyRule(MetricLimit):
    """A limit that must hold, with the effects if it does not hold or is indeterminate.

    With `also`, all of the limits must hold, or any of them, as `combination` says.
    """

    id: str
    effect: RuleEffect
    message: str
    scope: Scope = field(default_factory=Scope)
    level: WaiverLevel = WaiverLevel.HARD
    on_indeterminate: RuleEffect = RuleEffect.REQUIRE_REVIEW
    combination: Combination = Combination.ALL
    also: tuple[MetricLimit, ...] = ()

    @property
    def limits(self) -> tuple[MetricLimit, ...]:
        """The limits of the rule, in the order of the document."""
        return (self, *self.also)

    @property
    def needs_every_limit(self) -> bool:
        """Whether each limit of the rule must hold, whatever the others say."""
        return self.combination is Combination.ALL or not self.also

    @property
    def condition(self) -> str:
        """The limits as text, like `Latency p95 (upper) at most 100 ms`."""
        joint = " and " if self.combination is Combination.ALL else " or "
        return joint.join(each.own_condition for each in self.limits)

    @property
    def is_message_doubtful(self) -> bool:
        """Whether the message names numbers, but none of the limits: it may tell of a limit that was changed."""
        return not any(limit.is_named_in(self.message) for limit in self.limits)


@dataclass(frozen=True)
class AuthorizationTerms:
    """The validity of an authorization, and the time of the warning before its end.

    `alias_days` is the longest validity for a managed model without a snapshot; 0 refuses requests about such models.
    """

    valid_days: int
    warn_days: int
    alias_days: int = 0

    @property
    def for_alias(self) -> "AuthorizationTerms":
        """The terms for a model without a snapshot: never longer than `alias_days`, with the warning halfway at most.

        Only for terms that allow aliases.
        """
        days = min(self.valid_days, self.alias_days)
        return replace(self, valid_days=days, warn_days=min(self.warn_days, days // 2))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A parsed policy. `digest` is the digest of its document. Separation of duties always applies.

    It judges the requests that `applies_to` covers, unless a policy of higher precedence, or of equal precedence with a
    narrower scope, covers them too. A request that was in review lapses `grace_days` after its deadline.
    `evaluation_sets` are the sets on which quality counts as measured, as `name` or
    `name@version`; if it is empty, any governed set for acceptance counts.
    """

    name: str
    title: str
    rules: tuple[PolicyRule, ...]
    stages: tuple[Stage, ...]
    benchmarks: tuple[BenchmarkPlan, ...]
    checklist: str
    authorization: AuthorizationTerms
    deadline_days: int
    digest: str
    description: str = ""
    alternatives: AlternativesPlan | None = None
    monitoring: Monitoring = field(default_factory=Monitoring)
    grace_days: int = 0
    former_owner_days: int = FORMER_OWNER_DAYS
    evaluation_sets: tuple[str, ...] = ()
    trust: Trust = field(default_factory=Trust)
    inheritance: Inheritance = field(default_factory=Inheritance)
    applies_to: Scope = field(default_factory=Scope)
    precedence: int = 0
    separation_of_duties: bool = True


def parse_policy(document: Mapping[str, object]) -> Policy:
    """Parse a policy document. Raises Invalid with the path of the first error, like `rules[2].limit`."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    reader.constant("separation_of_duties", True, is_required=False)
    policy = Policy(
        name=reader.text("name"),
        title=reader.text("title"),
        description=reader.text("description", ""),
        rules=reader.items("rules", _rule),
        stages=reader.items("stages", read_stage),
        benchmarks=reader.items("benchmarks", read_benchmark),
        alternatives=read_alternatives(reader.mapping("alternatives")),
        monitoring=read_monitoring(reader.mapping("monitoring")),
        evaluation_sets=_evaluation_sets(reader),
        trust=read_trust(reader.mapping("trust")),
        inheritance=read_inheritance(reader.mapping("inheritance")),
        applies_to=read_scope(reader.mapping("applies_to")),
        precedence=reader.whole("precedence", 0, at_most=PRECEDENCE_MAX),
        checklist=reader.text("checklist"),
        authorization=_authorization(reader.mapping("authorization")),
        deadline_days=reader.whole("deadline_days", at_least=1, at_most=DAYS_MAX),
        grace_days=reader.whole("grace_days", 0, at_most=GRACE_DAYS_MAX),
        former_owner_days=reader.whole("former_owner_days", FORMER_OWNER_DAYS, at_least=1, at_most=DAYS_MAX),
        digest="",
    )
    reader.close()
    _check_whole(reader, policy)
    # Hashed last, because now the document is known to be flat and finite.
    return replace(policy, digest=digest_of(document))


def _check_whole(reader: Reader, policy: Policy) -> None:
    if not policy.rules:
        raise reader.fault("rules", "is empty. A policy without rules would clear all requests.")
    if not policy.stages:
        raise reader.fault("stages", "is empty. Without a stage, a review could not end.")
    check_unique(tuple(rule.id for rule in policy.rules), path="rules")
    check_unique(tuple(stage.id for stage in policy.stages), path="stages")
    check_order(policy.stages)
    check_unique(tuple(plan.scenario.value for plan in policy.benchmarks), path="benchmarks", name="scenario")


def _evaluation_sets(reader: Reader) -> tuple[str, ...]:
    names = reader.words("evaluation_sets")
    for name in names:
        if not SET_NAME.fullmatch(name):
            raise reader.fault("evaluation_sets", f"names {name!r}; write the name of a set, or name@version.")
    return names


def _rule(reader: Reader) -> PolicyRule:
    effect = reader.choice("effect", RuleEffect)
    least_indeterminate = max(effect, RuleEffect.REQUIRE_REVIEW, key=lambda each: each.rank)
    rule = PolicyRule(
        id=reader.text("id"),
        **_limits(reader),
        scope=read_scope(reader.mapping("scope")),
        effect=effect,
        level=reader.choice("level", WaiverLevel, WaiverLevel.HARD),
        on_indeterminate=reader.choice("on_indeterminate", RuleEffect, least_indeterminate),
        message=reader.text("message"),
    )
    if rule.on_indeterminate.rank < rule.effect.rank:
        wanted = f"must be at least as strict as the effect ({rule.effect})"
        raise reader.fault("on_indeterminate", f"{wanted}, so that missing evidence is not an advantage.")
    return rule


def _limits(reader: Reader) -> dict[str, Any]:
    """The fields of one limit, or of the first of the limits under `all_of` or `any_of`, with the others."""
    for key, combination in (("all_of", Combination.ALL), ("any_of", Combination.ANY)):
        if reader.asks(key):
            first, *also = reader.items(key, read_limit) or (None,)
            if first is None or not also:
                raise reader.fault(key, "must list two limits or more.")
            return {**vars(first), "combination": combination, "also": tuple(also)}
    return limit_fields(reader)


def _authorization(reader: Reader) -> AuthorizationTerms:
    terms = AuthorizationTerms(
        reader.whole("valid_days", at_least=1, at_most=DAYS_MAX),
        reader.whole("warn_days", 0, at_most=DAYS_MAX),
        reader.whole("alias_days", 0, at_most=ALIAS_DAYS_MAX),
    )
    reader.close()
    if terms.warn_days >= terms.valid_days:
        raise reader.fault("warn_days", "must be smaller than valid_days.")
    return terms
