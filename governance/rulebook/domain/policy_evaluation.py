"""Evaluates a policy for a request: each rule with its inputs, its result and the reason.

Pure and total: missing, stale, weak or malformed evidence never raises and never passes, but makes a rule
indeterminate; weaker evidence never makes the outcome more permissive.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from cattrs.gen import make_dict_unstructure_fn, override

from governance.rulebook.domain.metric_index import MetricIndex, index_values
from governance.rulebook.domain.policy import Policy, PolicyRule, RuleEffect, Statistic, WaiverLevel
from governance.rulebook.domain.scopes import EvaluationSubject
from weighbridge.core.converter import CONVERTER
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, best, brief_text, is_current, number_text


class PolicyOutcome(StrEnum):
    """The outcome of the whole policy, most permissive first."""

    CLEARED = "cleared"
    ADVISED = "advised"
    REVIEW_REQUIRED = "review_required"
    DENIED = "denied"

    @property
    def rank(self) -> int:
        """0 for the most permissive, 3 for the strictest; aligned with `Effect.rank`."""
        return tuple(PolicyOutcome).index(self)


class RuleStatus(StrEnum):
    """The result of one rule."""

    PASSED = "passed"
    FIRED = "fired"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


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


@dataclass(frozen=True)
class _Finding:
    """An intermediate result. `reason` is a function, because many callers do not need the sentence."""

    status: RuleStatus
    reason: Callable[[], str]
    metric_value: MetricValue | None = None
    observed: Decimal | None = None


def evaluate(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    metric_values: Sequence[MetricValue],
    catalog: MetricCatalog,
    now: datetime,
    waived: frozenset[str] = frozenset(),
) -> Evaluation:
    """Evaluate all rules with the values at `now`, except the `waived` ones (by ID); hard rules ignore waivers."""
    index = index_values(metric_values, catalog=catalog)
    results = tuple(_judge(rule, subject=subject, index=index, now=now, waived=waived) for rule in policy.rules)
    return Evaluation(outcome_of(result.effect for result in results if result.effect), results, policy.digest)


def standing_effects(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    index: MetricIndex,
    now: datetime,
    waived: frozenset[str] = frozenset(),
) -> dict[str, RuleEffect]:
    """The rules with an effect, and their effects: `evaluate` without the sentences."""
    effects = {}
    for rule in policy.rules:
        _, effect = _effect(rule, _find(rule, subject=subject, index=index, now=now), waived)
        if effect is not None:
            effects[rule.id] = effect
    return effects


def outcome_of(effects: Iterable[RuleEffect]) -> PolicyOutcome:
    """The outcome of the effects: that of the strictest."""
    return tuple(PolicyOutcome)[max((effect.rank for effect in effects), default=0)]


def _effect(rule: PolicyRule, finding: _Finding, waived: frozenset[str]) -> tuple[RuleStatus, RuleEffect | None]:
    effect = {RuleStatus.FIRED: rule.effect, RuleStatus.INDETERMINATE: rule.on_indeterminate}.get(finding.status)
    if effect is not None and rule.level is WaiverLevel.SOFT and rule.id in waived:
        return RuleStatus.WAIVED, None
    return finding.status, effect


def _judge(
    rule: PolicyRule, *, subject: EvaluationSubject, index: MetricIndex, now: datetime, waived: frozenset[str]
) -> RuleResult:
    finding = _find(rule, subject=subject, index=index, now=now)
    status, effect = _effect(rule, finding, waived)
    reason = finding.reason()
    return RuleResult(
        rule_id=rule.id,
        metric=rule.metric,
        status=status,
        effect=effect,
        level=rule.level,
        condition=rule.condition,
        metric_value=finding.metric_value,
        observed=finding.observed,
        reason=f"Waived. Without the waiver: {reason}" if status is RuleStatus.WAIVED else reason,
        message=rule.message,
    )


def _find(rule: PolicyRule, *, subject: EvaluationSubject, index: MetricIndex, now: datetime) -> _Finding:
    if not rule.scope.covers(subject):
        return _Finding(RuleStatus.NOT_APPLICABLE, lambda: f"The rule applies to: {rule.scope.words}.")
    named = index.metric_values.get(rule.metric, ())
    fault = index.fault_of(rule.metric)
    if fault:
        # The malformed metric value might be the decisive one, so the others cannot replace it.
        return _Finding(RuleStatus.INDETERMINATE, lambda: f"A value of {rule.metric} is malformed: {fault}")
    metric_value = best(named, name=rule.metric, catalog=index.catalog, accept=rule.accept)
    if metric_value is None:
        return _Finding(RuleStatus.INDETERMINATE, lambda: _needed(rule, named, index.catalog))
    return _weigh(rule, metric_value=metric_value, now=now)


def _needed(rule: PolicyRule, named: Sequence[MetricValue], catalog: MetricCatalog) -> str:
    bases = " and ".join(sorted({metric_value.basis.value for metric_value in named}))
    available = f"only {bases}" if named else "none at all"
    parts = catalog[rule.metric].parts if rule.metric in catalog else ()
    if parts and not named:
        return f"{rule.metric} is computed from {' and '.join(parts)}; state both, and it can be computed."
    return f"The rule needs a {' or '.join(rule.accept)} value of {rule.metric}; there is {available}."


def _weigh(rule: PolicyRule, *, metric_value: MetricValue, now: datetime) -> _Finding:
    observed = _observed(rule, metric_value)
    gap = _gap(rule, metric_value=metric_value, observed=observed, now=now)
    if gap or observed is None:
        return _Finding(RuleStatus.INDETERMINATE, lambda: gap, metric_value, observed)
    status = RuleStatus.PASSED if rule.comparator.holds(observed, rule.limit) else RuleStatus.FIRED
    return _Finding(status, lambda: _comparison(rule, metric_value, observed), metric_value, observed)


def _comparison(rule: PolicyRule, metric_value: MetricValue, observed: Decimal) -> str:
    origin = metric_value.basis.value + (f", {metric_value.source}" if metric_value.source else "")
    which = rule.statistic.words
    why = (
        f"{which}{rule.metric} is {_observed_words(observed, rule.limit)} {metric_value.unit} ({origin}); "
        f"the policy asks for {rule.comparator.words} {number_text(rule.limit)} {rule.unit}."
    )
    return why[0].upper() + why[1:] if which else why


def _observed_words(observed: Decimal, limit: Decimal) -> str:
    """The rounded number, or the exact number if rounding would print the limit itself."""
    brief = brief_text(observed)
    return number_text(observed) if brief == number_text(limit) else brief


def _observed(rule: PolicyRule, metric_value: MetricValue) -> Decimal | None:
    billed = metric_value.value if metric_value.basis is Basis.BILLED else None
    p80 = billed if metric_value.p80 is None else metric_value.p80
    bounds = {Statistic.LOWER: metric_value.lower, Statistic.UPPER: metric_value.upper, Statistic.P80: p80}
    return bounds.get(rule.statistic, metric_value.value)


def _gap(rule: PolicyRule, *, metric_value: MetricValue, observed: Decimal | None, now: datetime) -> str:
    """The reason why the metric value is not sufficient for the rule; empty if it is."""
    if not is_current(metric_value, now=now):
        expired = f"expired on {metric_value.valid_until:%Y-%m-%d}"
        return f"The {metric_value.basis} value of {rule.metric} {expired}; provide a new one."
    has = f"the {metric_value.basis} value has"
    if rule.min_n and (metric_value.n or 0) < rule.min_n:
        return f"The rule needs {rule.min_n} samples of {rule.metric}; {has} {metric_value.n or 'none'}."
    if observed is None:
        return f"The rule compares {rule.statistic.words}{rule.metric}; {has} none."
    return ""


def _exact_words(number: Decimal | None) -> str | None:
    return None if number is None else number_text(number)


CONVERTER.register_unstructure_hook(
    RuleResult, make_dict_unstructure_fn(RuleResult, CONVERTER, observed=override(unstruct_hook=_exact_words))
)
