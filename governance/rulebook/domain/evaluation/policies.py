"""Evaluates a policy for a request: each rule with its inputs, its result and the reason.

Pure and total: missing, stale, weak or malformed evidence never raises and never passes, but makes a rule
indeterminate; weaker evidence never makes the outcome more permissive.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from cattrs.gen import make_dict_unstructure_fn, override

from governance.rulebook.domain.evaluation.limits import (
    NO_REFERENCES,
    EvaluationCase,
    LimitFinding,
    References,
    RuleStatus,
    judge_limit,
)
from governance.rulebook.domain.evaluation.metric_index import MetricIndex, index_values
from governance.rulebook.domain.metric_limits import MetricLimit
from governance.rulebook.domain.policy import Combination, Policy, PolicyRule, RuleEffect, WaiverLevel
from governance.rulebook.domain.scopes import EvaluationSubject
from governance.rulebook.domain.stages import Stage, ordered
from weighbridge.core.converter import CONVERTER
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, number_text

_STRICTEST_FIRST = (RuleStatus.FIRED, RuleStatus.INDETERMINATE, RuleStatus.PASSED)
_WITH_EFFECT = (RuleStatus.FIRED, RuleStatus.INDETERMINATE)


class PolicyOutcome(StrEnum):
    """The outcome of the whole policy, most permissive first."""

    CLEARED = "cleared"
    ADVISED = "advised"
    REVIEW_REQUIRED = "review_required"
    DENIED = "denied"

    @property
    def rank(self) -> int:
        """0 for the most permissive, 3 for the strictest; aligned with `Effect.rank`."""
        return _RANKS[self]


_OUTCOMES = tuple(PolicyOutcome)
_RANKS = {outcome: rank for rank, outcome in enumerate(_OUTCOMES)}


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one rule: `observed` is the compared number, `reason` a sentence, `message` from the policy."""

    rule_id: str
    metric: str
    status: RuleStatus
    effect: RuleEffect | None
    level: WaiverLevel
    condition: str
    metric_value: MetricValue | None
    observed: Decimal | None
    reason: str
    message: str

    @property
    def severity(self) -> tuple[int, bool]:
        """The severity: first the effect; for equal effects, indeterminate rules are more severe."""
        return (self.effect.rank if self.effect else 0, self.status is RuleStatus.INDETERMINATE)


@dataclass(frozen=True)
class Evaluation:
    """The results of all rules of a policy, and the outcome."""

    outcome: PolicyOutcome
    results: tuple[RuleResult, ...]
    policy_digest: str

    def standing(self) -> tuple[RuleResult, ...]:
        """The results with an effect, strictest first."""
        with_effect = (result for result in self.results if result.effect)
        return tuple(sorted(with_effect, key=lambda each: each.severity, reverse=True))


def evaluate(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    metric_values: Sequence[MetricValue],
    catalog: MetricCatalog,
    now: datetime,
    references: References = NO_REFERENCES,
    waived: frozenset[str] = frozenset(),
) -> Evaluation:
    """Evaluate all rules with the values at `now`, except the `waived` ones (by ID); hard rules ignore waivers.

    A limit relative to a reference whose value is not among the `references` is indeterminate.
    """
    index = index_values(metric_values, catalog=catalog)
    return evaluate_index(policy, subject=subject, index=index, now=now, references=references, waived=waived)


def evaluate_index(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    index: MetricIndex,
    now: datetime,
    references: References = NO_REFERENCES,
    waived: frozenset[str] = frozenset(),
) -> Evaluation:
    """Like `evaluate`, with values that are indexed already."""
    case = EvaluationCase(subject=subject, index=index, now=now, references=references)
    results = tuple(_judge(rule, case, waived) for rule in policy.rules)
    return Evaluation(outcome_of(result.effect for result in results if result.effect), results, policy.digest)


def stages_of(policy: Policy, *, subject: EvaluationSubject, index: MetricIndex, now: datetime) -> tuple[Stage, ...]:
    """The stages that take part in the review of this subject, in their order.

    A stage with a `when` takes part unless the values show that it does not hold: missing evidence adds reviewers.
    """
    case = EvaluationCase(subject=subject, index=index, now=now, references=NO_REFERENCES)
    taking_part = {stage.id for stage in policy.stages if stage.scope.covers(subject) and _may_hold(stage.when, case)}
    return ordered(policy.stages, taking_part=taking_part)


def _may_hold(when: MetricLimit | None, case: EvaluationCase) -> bool:
    return when is None or judge_limit(when, case).status is not RuleStatus.FIRED


def outcome_of(effects: Iterable[RuleEffect]) -> PolicyOutcome:
    """The outcome of the effects: that of the strictest."""
    return _OUTCOMES[max((effect.rank for effect in effects), default=0)]


def effect_of(rule: PolicyRule, status: RuleStatus, waived: Set[str]) -> RuleEffect | None:
    """The effect of a rule with this status; None if it has none, or is soft and waived."""
    if status is RuleStatus.FIRED:
        effect = rule.effect
    elif status is RuleStatus.INDETERMINATE:
        effect = rule.on_indeterminate
    else:
        return None
    return None if rule.level is WaiverLevel.SOFT and rule.id in waived else effect


def _judge(rule: PolicyRule, case: EvaluationCase, waived: frozenset[str]) -> RuleResult:
    finding = _find(rule, case)
    effect, reason = effect_of(rule, finding.status, waived), finding.reason()
    is_waived = effect is None and finding.status in _WITH_EFFECT
    status = RuleStatus.WAIVED if is_waived else finding.status
    return RuleResult(
        rule_id=rule.id,
        metric=rule.metric if finding.metric_value is None else finding.metric_value.name,
        status=status,
        effect=effect,
        level=rule.level,
        condition=rule.condition,
        metric_value=finding.metric_value,
        observed=finding.observed,
        reason=f"Waived. Without the waiver: {reason}" if is_waived else reason,
        message=rule.message,
    )


def _find(rule: PolicyRule, case: EvaluationCase) -> LimitFinding:
    if not rule.scope.covers(case.subject):
        return LimitFinding(RuleStatus.NOT_APPLICABLE, lambda: f"The rule applies to: {rule.scope.words}.")
    if not rule.also:
        return judge_limit(rule, case)
    return _combined(rule, [judge_limit(each, case) for each in rule.limits])


def deciding_order(rule: PolicyRule) -> tuple[RuleStatus, ...]:
    """The statuses of limits; the first of them that a limit of the rule has is the status of the rule."""
    return _STRICTEST_FIRST if rule.combination is Combination.ALL else _STRICTEST_FIRST[::-1]


def _combined(rule: PolicyRule, findings: Sequence[LimitFinding]) -> LimitFinding:
    """The finding that decides: of all, the first that does not hold; of any, the first that holds.

    An indeterminate limit decides where none of these exists.
    """
    order = deciding_order(rule)
    deciding = min(findings, key=lambda each: order.index(each.status))
    return replace(deciding, reason=lambda: " ".join(each.reason() for each in findings))


def _exact_words(number: Decimal | None) -> str | None:
    return None if number is None else number_text(number)


CONVERTER.register_unstructure_hook(
    RuleResult, make_dict_unstructure_fn(RuleResult, CONVERTER, observed=override(unstruct_hook=_exact_words))
)
