"""The review policy: structured rules over metrics, the stages of a review, and the benchmark plans.

There is no expression language: a rule states a condition that must HOLD, and fires if it does not.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from governance.people.domain.roles import Role
from governance.rulebook.domain.benchmark_plans import (
    AlternativesPlan,
    BenchmarkPlan,
    read_alternatives,
    read_benchmark,
)
from governance.rulebook.domain.checklists import read_accepted
from governance.rulebook.domain.monitoring import DAYS_MAX, Monitoring, read_monitoring
from governance.rulebook.domain.scopes import Scope, read_scope
from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import number_text

KIND = "ReviewPolicy"
QUORUM_MAX, PRECEDENCE_MAX = 100, 1_000
FORMER_OWNER_DAYS = 90
APPROVES_MONEY = frozenset({Role.PLATFORM_LEAD, Role.FINANCE})
SET_NAME = re.compile(r"[^@]{1,120}(@[1-9][0-9]{0,5})?")


class Comparator(StrEnum):
    """The comparison between the metric and the limit."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"
    ABOVE = "above"

    @property
    def words(self) -> str:
        """The comparator as text: `at most`."""
        return self.value.replace("_", " ")

    @property
    def is_ceiling(self) -> bool:
        """True if the limit is an upper limit."""
        return self in (Comparator.AT_MOST, Comparator.BELOW)

    def holds(self, observed: Decimal, limit: Decimal) -> bool:
        """Whether the observed number satisfies the limit."""
        return _COMPARISONS[self](observed, limit)


_COMPARISONS: dict[Comparator, Callable[[Decimal, Decimal], bool]] = {
    Comparator.AT_MOST: operator.le,
    Comparator.AT_LEAST: operator.ge,
    Comparator.BELOW: operator.lt,
    Comparator.ABOVE: operator.gt,
}


class Statistic(StrEnum):
    """The number of a metric value that is compared. `p80` of a bill is the amount itself."""

    VALUE = "value"
    LOWER = "lower"
    UPPER = "upper"
    P80 = "p80"

    @property
    def label(self) -> str:
        """The statistic in tables: `upper bound`; empty for the value itself."""
        return {"value": "", "p80": "P80"}.get(self.value, f"{self.value} bound")

    @property
    def words(self) -> str:
        """The statistic in sentences: `the upper bound of `; empty for the value itself."""
        return f"the {self.label} of " if self.label else ""


class RuleEffect(StrEnum):
    """The effect of a rule that fires, mildest first."""

    ADVISE = "advise"
    REQUIRE_REVIEW = "require_review"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """1 for the mildest, 3 for the strictest; 0 means no effect."""
        return tuple(RuleEffect).index(self) + 1


class WaiverLevel(StrEnum):
    """Whether a rule may be waived."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """One condition that must hold, with the effects if it does not hold or is indeterminate."""

    id: str
    metric: str
    comparator: Comparator
    limit: Decimal
    unit: str
    accept: tuple[Basis, ...]
    effect: RuleEffect
    message: str
    statistic: Statistic = Statistic.VALUE
    min_n: int = 0
    scope: Scope = field(default_factory=Scope)
    level: WaiverLevel = WaiverLevel.HARD
    on_indeterminate: RuleEffect = RuleEffect.REQUIRE_REVIEW

    @property
    def condition(self) -> str:
        """The condition as text, like `latency_p95_ms (upper) at most 100 ms`."""
        statistic = "" if self.statistic is Statistic.VALUE else f" ({self.statistic})"
        return f"{self.metric}{statistic} {self.comparator.words} {number_text(self.limit)} {self.unit}"


@dataclass(frozen=True)
class Stage:
    """A stage of the review: `quorum` different people with `role` must approve.

    `outside_team` of them must not file for the team of the request; for the roles that approve money, all of them.
    """

    id: str
    title: str
    role: Role
    quorum: int
    outside_team: int = 1


@dataclass(frozen=True)
class AuthorizationTerms:
    """The validity of an authorization, and the time of the warning before its end."""

    valid_days: int
    warn_days: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A parsed policy. `digest` is the digest of its document. Separation of duties always applies.

    It judges the requests that `applies_to` covers, unless a policy of higher precedence, or of equal precedence with a
    narrower scope, covers them too. `evaluation_sets` are the sets on which quality counts as measured, as `name` or
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
    former_owner_days: int = FORMER_OWNER_DAYS
    evaluation_sets: tuple[str, ...] = ()
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
        stages=reader.items("stages", _stage),
        benchmarks=reader.items("benchmarks", read_benchmark),
        alternatives=read_alternatives(reader.mapping("alternatives")),
        monitoring=read_monitoring(reader.mapping("monitoring")),
        evaluation_sets=_evaluation_sets(reader),
        applies_to=read_scope(reader.mapping("applies_to")),
        precedence=reader.whole("precedence", 0, at_most=PRECEDENCE_MAX),
        checklist=reader.text("checklist"),
        authorization=_authorization(reader.mapping("authorization")),
        deadline_days=reader.whole("deadline_days", at_least=1, at_most=DAYS_MAX),
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
        metric=reader.text("metric"),
        comparator=reader.choice("comparator", Comparator),
        limit=reader.number("limit"),
        unit=reader.text("unit"),
        accept=_accepted(reader),
        statistic=reader.choice("statistic", Statistic, Statistic.VALUE),
        min_n=reader.whole("min_n", 0),
        scope=read_scope(reader.mapping("scope")),
        effect=effect,
        level=reader.choice("level", WaiverLevel, WaiverLevel.HARD),
        on_indeterminate=reader.choice("on_indeterminate", RuleEffect, least_indeterminate),
        message=reader.text("message"),
    )
    _check_rule(reader, rule)
    return rule


def _check_rule(reader: Reader, rule: PolicyRule) -> None:
    if rule.on_indeterminate.rank < rule.effect.rank:
        wanted = f"must be at least as strict as the effect ({rule.effect})"
        raise reader.fault("on_indeterminate", f"{wanted}, so that missing evidence is not an advantage.")
    # This bound becomes more favorable with more uncertainty, so weaker evidence would pass more easily.
    kinder = {Statistic.LOWER} if rule.comparator.is_ceiling else {Statistic.UPPER, Statistic.P80}
    if rule.statistic in kinder:
        wrong = f"cannot be {rule.statistic} with {rule.comparator}"
        raise reader.fault("statistic", f"{wrong}, because a wider interval would pass more easily.")


def _accepted(reader: Reader) -> tuple[Basis, ...]:
    if not reader.words("accept"):
        raise reader.fault("accept", f"must list at least one of {', '.join(Basis)}.")
    return read_accepted(reader)


def _stage(reader: Reader) -> Stage:
    role, quorum = reader.choice("role", Role), reader.whole("quorum", 1, at_least=1, at_most=QUORUM_MAX)
    least = quorum if role in APPROVES_MONEY else 1
    outside = reader.whole("outside_team", least, at_least=1, at_most=QUORUM_MAX)
    if not least <= outside <= quorum:
        wanted = str(quorum) if least == quorum else f"{least} to {quorum}"
        raise reader.fault("outside_team", f"must be {wanted} for the role {role} and a quorum of {quorum}.")
    return Stage(reader.text("id"), reader.text("title"), role, quorum, outside)


def _authorization(reader: Reader) -> AuthorizationTerms:
    terms = AuthorizationTerms(
        reader.whole("valid_days", at_least=1, at_most=DAYS_MAX), reader.whole("warn_days", 0, at_most=DAYS_MAX)
    )
    reader.close()
    if terms.warn_days >= terms.valid_days:
        raise reader.fault("warn_days", "must be smaller than valid_days.")
    return terms
