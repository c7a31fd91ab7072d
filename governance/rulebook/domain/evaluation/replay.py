"""Back-tests: evaluates past requests with two versions of a policy, without sentences, and compares the outcomes."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache

from governance.rulebook.domain.evaluation.limits import EvaluationCase, References, RuleStatus, weigh_limit
from governance.rulebook.domain.evaluation.metric_index import MetricIndex
from governance.rulebook.domain.evaluation.policies import PolicyOutcome, deciding_order, effect_of, outcome_of
from governance.rulebook.domain.metric_limits import MetricLimit
from governance.rulebook.domain.policy import Policy, PolicyRule, RuleEffect
from governance.rulebook.domain.scopes import EvaluationSubject, chosen

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class ReplayedRequest:
    """A request of a replay, without what it is judged by: its subject, and its cost in USD and GPU hours."""

    ref: str
    subject: EvaluationSubject
    usd: Decimal = ZERO
    gpu_h: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class ReplayCase:
    """A request at the time of its evaluation, with its metric values."""

    request: ReplayedRequest
    index: MetricIndex
    at: datetime
    waived: frozenset[str] = frozenset()
    references: References = field(default_factory=dict)


@dataclass(frozen=True)
class ReplayVerdict:
    """The result of a version for one case: the outcome, and the rules with an effect."""

    outcome: PolicyOutcome
    effects: dict[str, RuleEffect]


@dataclass(frozen=True)
class ReplayComparison:
    """One request under two versions. Its metric values are not kept, so that many of them take little memory."""

    case: ReplayedRequest
    before: ReplayVerdict
    after: ReplayVerdict

    @property
    def is_stricter(self) -> bool:
        """Whether the later version is stricter."""
        return self.after.outcome.rank > self.before.outcome.rank

    @property
    def is_looser(self) -> bool:
        """Whether the later version is looser."""
        return self.after.outcome.rank < self.before.outcome.rank

    @property
    def added_rules(self) -> tuple[str, ...]:
        """Rules that have an effect only in the later version."""
        return tuple(rule for rule in self.after.effects if rule not in self.before.effects)

    @property
    def removed_rules(self) -> tuple[str, ...]:
        """Rules that have an effect only in the earlier version."""
        return tuple(rule for rule in self.before.effects if rule not in self.after.effects)


@dataclass(frozen=True)
class ReplayShare:
    """The number of cases with an outcome, and their cost."""

    count: int
    usd: Decimal
    gpu_h: Decimal


@dataclass(frozen=True)
class _PlannedPolicy:
    """The rules of a policy that apply to a subject, each with the places of its limits among those of the plan."""

    rules: tuple[tuple[PolicyRule, tuple[int, ...]], ...]

    def verdict(self, statuses: Sequence[RuleStatus], waived: frozenset[str]) -> ReplayVerdict:
        effects = {}
        for rule, (first, *also) in self.rules:
            status = statuses[first]
            if also:
                own = {status, *(statuses[place] for place in also)}
                status = next(each for each in deciding_order(rule) if each in own)
            effect = effect_of(rule, status, waived)
            if effect is not None:
                effects[rule.id] = effect
        return ReplayVerdict(outcome_of(effects.values()), effects)


@dataclass(frozen=True)
class ReplayPlan:
    """What judges the requests of one subject before and after. A limit that rules of both have is weighed once."""

    limits: tuple[MetricLimit, ...]
    policies: tuple[Policy | None, Policy | None]
    before: _PlannedPolicy | None
    after: _PlannedPolicy | None

    def compare(self, case: ReplayCase) -> ReplayComparison:
        """The results of the case under both policies, at the time of the original evaluation."""
        request = case.request
        inputs = EvaluationCase(subject=request.subject, index=case.index, now=case.at, references=case.references)
        statuses = [weigh_limit(limit, inputs).status for limit in self.limits]
        # Without a policy that judges it, a request cannot be submitted.
        after = _DENIED if self.after is None else self.after.verdict(statuses, case.waived)
        if self.before is self.after:
            return ReplayComparison(request, after, after)
        before = _DENIED if self.before is None else self.before.verdict(statuses, case.waived)
        return ReplayComparison(request, before, after)


_DENIED = ReplayVerdict(PolicyOutcome.DENIED, {})


def plans(before: Sequence[Policy], after: Sequence[Policy]) -> Callable[[EvaluationSubject], ReplayPlan]:
    """The plan for a subject, with the policies that judge it before and after; made once for equal subjects."""
    return cache(lambda subject: _plan(chosen(before, subject=subject), chosen(after, subject=subject), subject))


def compare(
    cases: Iterable[ReplayCase], *, before: Sequence[Policy], after: Sequence[Policy]
) -> tuple[ReplayComparison, ...]:
    """The results of each case under the policies before and after, each by the one that judges it."""
    plan_of = plans(before, after)
    return tuple(plan_of(case.request.subject).compare(case) for case in cases)


def _plan(before: Policy | None, after: Policy | None, subject: EvaluationSubject) -> ReplayPlan:
    places: dict[MetricLimit, int] = {}
    later = _planned(after, subject, places)
    is_same = before is not None and after is not None and before.digest == after.digest
    earlier = later if is_same else _planned(before, subject, places)
    return ReplayPlan(tuple(places), (before, after), earlier, later)


def _planned(
    policy: Policy | None, subject: EvaluationSubject, places: dict[MetricLimit, int]
) -> _PlannedPolicy | None:
    """The rules that apply; adds their limits to the places."""
    if policy is None:
        return None
    applying = (rule for rule in policy.rules if rule.scope.covers(subject))
    return _PlannedPolicy(
        tuple((rule, tuple(places.setdefault(limit.alone, len(places)) for limit in rule.limits)) for rule in applying)
    )


def share_of(cases: Iterable[ReplayedRequest]) -> ReplayShare:
    """The number of cases and their total cost."""
    those = list(cases)
    return ReplayShare(len(those), sum((each.usd for each in those), ZERO), sum((each.gpu_h for each in those), ZERO))


def shares(verdicts: Iterable[tuple[ReplayedRequest, ReplayVerdict]]) -> dict[PolicyOutcome, ReplayShare]:
    """The share of the cases for each outcome."""
    found: dict[PolicyOutcome, list[ReplayedRequest]] = {outcome: [] for outcome in PolicyOutcome}
    for case, verdict in verdicts:
        found[verdict.outcome].append(case)
    return {outcome: share_of(cases) for outcome, cases in found.items()}


def rule_counts(verdicts: Iterable[ReplayVerdict]) -> dict[str, int]:
    """The number of cases in which each rule has an effect, most frequent first."""
    counted = Counter(rule for verdict in verdicts for rule in verdict.effects)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
