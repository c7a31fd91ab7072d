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

from governance.rulebook.domain.metric_index import Known, known
from governance.rulebook.domain.policy import Effect, Level, Policy, Rule, Statistic
from weighbridge.core.converter import CONVERTER
from weighbridge.core.metrics import Basis, Figure, best, brief_words, is_current, number_words


class Outcome(StrEnum):
    """What the policy as a whole asks for, most permissive first."""

    CLEARED = "cleared"
    ADVISED = "advised"
    REVIEW_REQUIRED = "review_required"
    DENIED = "denied"

    @property
    def rank(self) -> int:
        """0 for the most permissive, 3 for the strictest; aligned with `Effect.rank`."""
        return tuple(Outcome).index(self)


class RuleStatus(StrEnum):
    """How one rule ended."""

    PASSED = "passed"
    FIRED = "fired"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True)
class Subject:
    """What a rule's scope looks at."""

    team: str
    tier: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """One rule, answered. `observed` is the number compared, `why` a sentence, `message` the policy's own words."""

    rule_id: str
    fact: str
    status: RuleStatus
    effect: Effect | None
    level: Level
    condition: str
    figure: Figure | None
    observed: Decimal | None
    why: str
    message: str

    @property
    def severity(self) -> tuple[int, bool]:
        """How much stands against the request: the effect, and of equal effects the one nobody could tell."""
        return (self.effect.rank if self.effect else 0, self.status is RuleStatus.INDETERMINATE)


@dataclass(frozen=True)
class Determination:
    """The answer of a policy, rule by rule."""

    outcome: Outcome
    results: tuple[RuleResult, ...]
    policy_digest: str

    def is_same_or_better(self, than: "Determination") -> bool:
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
    figure: Figure | None = None
    observed: Decimal | None = None


def evaluate(
    policy: Policy,
    *,
    subject: Subject,
    figures: Sequence[Figure],
    now: datetime,
    waived: frozenset[str] = frozenset(),
) -> Determination:
    """Every rule of the policy on the figures known at `now`; `waived` holds ids of rules, hard ones ignore it."""
    told = known(figures)
    results = tuple(_judge(rule, subject=subject, told=told, now=now, waived=waived) for rule in policy.rules)
    strictest = max((result.effect.rank for result in results if result.effect), default=0)
    return Determination(tuple(Outcome)[strictest], results, policy.digest)


def standing_effects(
    policy: Policy, *, subject: Subject, told: Known, now: datetime, waived: frozenset[str] = frozenset()
) -> dict[str, Effect]:
    """Which rules would stand against the request, and with what effect: `evaluate` without its sentences."""
    found = {}
    for rule in policy.rules:
        _, effect = _effect(rule, _find(rule, subject=subject, told=told, now=now), waived)
        if effect is not None:
            found[rule.id] = effect
    return found


def outcome_of(effects: Iterable[Effect]) -> Outcome:
    """The outcome that the standing effects add up to: that of the strictest."""
    return tuple(Outcome)[max((effect.rank for effect in effects), default=0)]


def _effect(rule: Rule, finding: _Finding, waived: frozenset[str]) -> tuple[RuleStatus, Effect | None]:
    effect = {RuleStatus.FIRED: rule.effect, RuleStatus.INDETERMINATE: rule.on_indeterminate}.get(finding.status)
    if effect is not None and rule.level is Level.SOFT and rule.id in waived:
        return RuleStatus.WAIVED, None
    return finding.status, effect


def _judge(rule: Rule, *, subject: Subject, told: Known, now: datetime, waived: frozenset[str]) -> RuleResult:
    finding = _find(rule, subject=subject, told=told, now=now)
    status, effect = _effect(rule, finding, waived)
    why = finding.why()
    return RuleResult(
        rule_id=rule.id,
        fact=rule.fact,
        status=status,
        effect=effect,
        level=rule.level,
        condition=rule.condition,
        figure=finding.figure,
        observed=finding.observed,
        why=f"Waived. Without the waiver: {why}" if status is RuleStatus.WAIVED else why,
        message=rule.message,
    )


def _find(rule: Rule, *, subject: Subject, told: Known, now: datetime) -> _Finding:
    if not _applies(rule, subject):
        return _Finding(RuleStatus.NOT_APPLICABLE, lambda: "The rule does not apply to this team, tier or environment.")
    named = told.figures.get(rule.fact, ())
    fault = told.fault_of(rule.fact)
    if fault:
        # One malformed figure may be the one that mattered, so the others do not stand in for it.
        return _Finding(RuleStatus.INDETERMINATE, lambda: f"A figure of {rule.fact} is malformed: {fault}")
    figure = best(named, name=rule.fact, now=now, accept=rule.accept)
    if figure is None:
        return _Finding(RuleStatus.INDETERMINATE, lambda: _needed(rule, named))
    return _weigh(rule, figure=figure, now=now)


def _needed(rule: Rule, named: Sequence[Figure]) -> str:
    given = f"only {_listing(named)}" if named else "none at all"
    return f"The rule needs a {' or '.join(rule.accept)} figure of {rule.fact}; there is {given}."


def _applies(rule: Rule, subject: Subject) -> bool:
    """A subject that does not say its tier, team or environment is not exempt from a rule about it."""
    scope = rule.scope
    return (
        _covers(scope.teams, subject.team)
        and _covers(scope.tiers, subject.tier)
        and _covers(scope.environments, subject.environment)
    )


def _covers(named: Sequence[str], own: str) -> bool:
    return not named or not own or own in named


def _listing(figures: Sequence[Figure]) -> str:
    return " and ".join(sorted({figure.basis.value for figure in figures}))


def _weigh(rule: Rule, *, figure: Figure, now: datetime) -> _Finding:
    observed = _observed(rule, figure)
    gap = _gap(rule, figure=figure, observed=observed, now=now)
    if gap or observed is None:
        return _Finding(RuleStatus.INDETERMINATE, lambda: gap, figure, observed)
    status = RuleStatus.PASSED if rule.comparator.holds(observed, rule.limit) else RuleStatus.FIRED
    return _Finding(status, lambda: _comparison(rule, figure, observed), figure, observed)


def _comparison(rule: Rule, figure: Figure, observed: Decimal) -> str:
    origin = figure.basis.value + (f", {figure.source}" if figure.source else "")
    which = rule.statistic.words
    why = (
        f"{which}{rule.fact} is {_observed_words(observed, rule.limit)} {figure.unit} ({origin}); the policy asks for "
        f"{rule.comparator.words} {number_words(rule.limit)} {rule.unit}."
    )
    return why[0].upper() + why[1:] if which else why


def _observed_words(observed: Decimal, limit: Decimal) -> str:
    """Brief, unless rounding would print the limit itself."""
    brief = brief_words(observed)
    return number_words(observed) if brief == number_words(limit) else brief


def _observed(rule: Rule, figure: Figure) -> Decimal | None:
    billed = figure.value if figure.basis is Basis.BILLED else None
    p80 = billed if figure.p80 is None else figure.p80
    bounds = {Statistic.LOWER: figure.lower, Statistic.UPPER: figure.upper, Statistic.P80: p80}
    return bounds.get(rule.statistic, figure.value)


def _gap(rule: Rule, *, figure: Figure, observed: Decimal | None, now: datetime) -> str:
    """Why the figure cannot answer the rule; empty when it can."""
    if not is_current(figure, now=now):
        return f"The {figure.basis} figure of {rule.fact} expired on {figure.valid_until:%Y-%m-%d}; provide a new one."
    if rule.min_n and (figure.n or 0) < rule.min_n:
        return (
            f"The rule needs {rule.min_n} samples of {rule.fact}; the {figure.basis} figure has {figure.n or 'none'}."
        )
    if observed is None:
        return f"The rule compares {rule.statistic.words}{rule.fact}; the {figure.basis} figure has none."
    return ""


def _exact_words(number: Decimal | None) -> str | None:
    return None if number is None else number_words(number)


CONVERTER.register_unstructure_hook(
    RuleResult, make_dict_unstructure_fn(RuleResult, CONVERTER, observed=override(unstruct_hook=_exact_words))
)
