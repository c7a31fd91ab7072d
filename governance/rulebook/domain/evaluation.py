"""What a policy says about a request: every rule with its inputs, its answer and why.

Pure and total: odd evidence never raises, it is indeterminate. Missing, stale, weak or malformed evidence never passes,
and weakening evidence never makes the outcome more permissive.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from cattrs.gen import make_dict_unstructure_fn, override

from governance.rulebook.domain.metric_index import MetricIndex, known
from governance.rulebook.domain.policy import Policy, PolicyRule, RuleEffect, Statistic, WaiverLevel
from weighbridge.core.converter import CONVERTER
from weighbridge.core.metrics import Basis, MetricValue, best, brief_words, is_current, number_words


class PolicyOutcome(StrEnum):
    """What the policy as a whole asks for, most permissive first."""

    CLEARED = "cleared"
    ADVISED = "advised"
    REVIEW_REQUIRED = "review_required"
    DENIED = "denied"

    @property
    def rank(self) -> int:
        """0 for the most permissive, 3 for the strictest; aligned with `Effect.rank`."""
        return tuple(PolicyOutcome).index(self)


class RuleStatus(StrEnum):
    """How one rule ended."""

    PASSED = "passed"
    FIRED = "fired"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True)
class EvaluationSubject:
    """What a rule's scope looks at."""

    team: str
    tier: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """One rule, answered. `observed` is the number compared, `why` a sentence, `message` the policy's own words."""

    rule_id: str
    metric: str
    status: RuleStatus
    effect: RuleEffect | None
    level: WaiverLevel
    condition: str
    metric_value: MetricValue | None
    observed: Decimal | None
    why: str
    message: str

    @property
    def severity(self) -> tuple[int, bool]:
        """How much stands against the request: the effect, and of equal effects the one nobody could tell."""
        return (self.effect.rank if self.effect else 0, self.status is RuleStatus.INDETERMINATE)


@dataclass(frozen=True)
class Evaluation:
    """The answer of a policy, rule by rule."""

    outcome: PolicyOutcome
    results: tuple[RuleResult, ...]
    policy_digest: str

    def is_same_or_better(self, than: "Evaluation") -> bool:
        """True when neither the outcome nor any single rule is more severe than it was in `than`.

        Rules that `than` did not know count as new: they must not stand against the request.
        """
        before = {result.rule_id: result.severity for result in than.results}
        return self.outcome.rank <= than.outcome.rank and all(
            result.severity <= before.get(result.rule_id, (0, False)) for result in self.results
        )

    def standing(self) -> tuple[RuleResult, ...]:
        """The results that have an effect, strictest first."""
        return tuple(
            sorted((result for result in self.results if result.effect), key=lambda each: each.severity, reverse=True)
        )


@dataclass(frozen=True)
class _Finding:
    """`why` makes the sentence, because many answers are asked for without one."""

    status: RuleStatus
    why: Callable[[], str]
    metric_value: MetricValue | None = None
    observed: Decimal | None = None


def evaluate(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    metric_values: Sequence[MetricValue],
    now: datetime,
    waived: frozenset[str] = frozenset(),
) -> Evaluation:
    """Every rule of the policy on the values known at `now`; `waived` holds ids of rules, hard ones ignore it."""
    told = known(metric_values)
    results = tuple(_judge(rule, subject=subject, told=told, now=now, waived=waived) for rule in policy.rules)
    strictest = max((result.effect.rank for result in results if result.effect), default=0)
    return Evaluation(tuple(PolicyOutcome)[strictest], results, policy.digest)


def standing_effects(
    policy: Policy,
    *,
    subject: EvaluationSubject,
    told: MetricIndex,
    now: datetime,
    waived: frozenset[str] = frozenset(),
) -> dict[str, RuleEffect]:
    """Which rules would stand against the request, and with what effect: `evaluate` without its sentences."""
    found = {}
    for rule in policy.rules:
        _, effect = _effect(rule, _find(rule, subject=subject, told=told, now=now), waived)
        if effect is not None:
            found[rule.id] = effect
    return found


def outcome_of(effects: Iterable[RuleEffect]) -> PolicyOutcome:
    """The outcome that the standing effects add up to: that of the strictest."""
    return tuple(PolicyOutcome)[max((effect.rank for effect in effects), default=0)]


def _effect(rule: PolicyRule, finding: _Finding, waived: frozenset[str]) -> tuple[RuleStatus, RuleEffect | None]:
    effect = {RuleStatus.FIRED: rule.effect, RuleStatus.INDETERMINATE: rule.on_indeterminate}.get(finding.status)
    if effect is not None and rule.level is WaiverLevel.SOFT and rule.id in waived:
        return RuleStatus.WAIVED, None
    return finding.status, effect


def _judge(
    rule: PolicyRule, *, subject: EvaluationSubject, told: MetricIndex, now: datetime, waived: frozenset[str]
) -> RuleResult:
    finding = _find(rule, subject=subject, told=told, now=now)
    status, effect = _effect(rule, finding, waived)
    why = finding.why()
    return RuleResult(
        rule_id=rule.id,
        metric=rule.metric,
        status=status,
        effect=effect,
        level=rule.level,
        condition=rule.condition,
        metric_value=finding.metric_value,
        observed=finding.observed,
        why=f"Waived. Without the waiver: {why}" if status is RuleStatus.WAIVED else why,
        message=rule.message,
    )


def _find(rule: PolicyRule, *, subject: EvaluationSubject, told: MetricIndex, now: datetime) -> _Finding:
    if not _applies(rule, subject):
        return _Finding(RuleStatus.NOT_APPLICABLE, lambda: "The rule does not apply to this team, tier or environment.")
    named = told.metric_values.get(rule.metric, ())
    fault = told.fault_of(rule.metric)
    if fault:
        # One malformed metric value may be the one that mattered, so the others do not stand in for it.
        return _Finding(RuleStatus.INDETERMINATE, lambda: f"A value of {rule.metric} is malformed: {fault}")
    metric_value = best(named, name=rule.metric, now=now, accept=rule.accept)
    if metric_value is None:
        return _Finding(RuleStatus.INDETERMINATE, lambda: _needed(rule, named))
    return _weigh(rule, metric_value=metric_value, now=now)


def _needed(rule: PolicyRule, named: Sequence[MetricValue]) -> str:
    given = f"only {_listing(named)}" if named else "none at all"
    return f"The rule needs a {' or '.join(rule.accept)} value of {rule.metric}; there is {given}."


def _applies(rule: PolicyRule, subject: EvaluationSubject) -> bool:
    """A subject that does not say its tier, team or environment is not exempt from a rule about it."""
    scope = rule.scope
    return (
        _covers(scope.teams, subject.team)
        and _covers(scope.tiers, subject.tier)
        and _covers(scope.environments, subject.environment)
    )


def _covers(named: Sequence[str], own: str) -> bool:
    return not named or not own or own in named


def _listing(metric_values: Sequence[MetricValue]) -> str:
    return " and ".join(sorted({metric_value.basis.value for metric_value in metric_values}))


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
        f"the policy asks for {rule.comparator.words} {number_words(rule.limit)} {rule.unit}."
    )
    return why[0].upper() + why[1:] if which else why


def _observed_words(observed: Decimal, limit: Decimal) -> str:
    """Brief, unless rounding would print the limit itself."""
    brief = brief_words(observed)
    return number_words(observed) if brief == number_words(limit) else brief


def _observed(rule: PolicyRule, metric_value: MetricValue) -> Decimal | None:
    billed = metric_value.value if metric_value.basis is Basis.BILLED else None
    p80 = billed if metric_value.p80 is None else metric_value.p80
    bounds = {Statistic.LOWER: metric_value.lower, Statistic.UPPER: metric_value.upper, Statistic.P80: p80}
    return bounds.get(rule.statistic, metric_value.value)


def _gap(rule: PolicyRule, *, metric_value: MetricValue, observed: Decimal | None, now: datetime) -> str:
    """Why the metric value cannot answer the rule; empty when it can."""
    if not is_current(metric_value, now=now):
        return (
            f"The {metric_value.basis} value of {rule.metric} expired on {metric_value.valid_until:%Y-%m-%d}; "
            "provide a new one."
        )
    if rule.min_n and (metric_value.n or 0) < rule.min_n:
        return (
            f"The rule needs {rule.min_n} samples of {rule.metric}; "
            f"the {metric_value.basis} value has {metric_value.n or 'none'}."
        )
    if observed is None:
        return f"The rule compares {rule.statistic.words}{rule.metric}; the {metric_value.basis} value has none."
    return ""


def _exact_words(number: Decimal | None) -> str | None:
    return None if number is None else number_words(number)


CONVERTER.register_unstructure_hook(
    RuleResult, make_dict_unstructure_fn(RuleResult, CONVERTER, observed=override(unstruct_hook=_exact_words))
)
