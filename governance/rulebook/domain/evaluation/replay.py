"""Back-tests: evaluates past requests with two versions of a policy, without sentences, and compares the outcomes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from governance.rulebook.domain.evaluation.limits import References
from governance.rulebook.domain.evaluation.metric_index import MetricIndex
from governance.rulebook.domain.evaluation.policies import PolicyOutcome, outcome_of, standing_effects
from governance.rulebook.domain.policy import Policy, RuleEffect
from governance.rulebook.domain.scopes import EvaluationSubject, chosen

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class ReplayCase:
    """A request at the time of its evaluation: its metric values, and its cost in USD and GPU hours."""

    ref: str
    subject: EvaluationSubject
    index: MetricIndex
    at: datetime
    waived: frozenset[str] = frozenset()
    references: References = field(default_factory=dict)
    usd: Decimal = ZERO
    gpu_h: Decimal = ZERO


@dataclass(frozen=True)
class ReplayVerdict:
    """The result of a version for one case: the outcome, and the rules with an effect."""

    outcome: PolicyOutcome
    effects: dict[str, RuleEffect]


@dataclass(frozen=True)
class ReplayComparison:
    """One case under two versions."""

    case: ReplayCase
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


def replay(policy: Policy, case: ReplayCase) -> ReplayVerdict:
    """Evaluate the policy for a case, at the time of the original evaluation."""
    effects = standing_effects(
        policy, subject=case.subject, index=case.index, now=case.at, references=case.references, waived=case.waived
    )
    return ReplayVerdict(outcome_of(effects.values()), effects)


def compare(
    cases: Iterable[ReplayCase], *, before: Sequence[Policy], after: Sequence[Policy]
) -> tuple[ReplayComparison, ...]:
    """The results of each case under the policies before and after, each by the one that judges it."""
    return tuple(
        _compared(case, *(chosen(policies, subject=case.subject) for policies in (before, after))) for case in cases
    )


def _compared(case: ReplayCase, before: Policy | None, after: Policy | None) -> ReplayComparison:
    now = _judged(after, case)
    is_same = before is not None and after is not None and before.digest == after.digest
    return ReplayComparison(case, now if is_same else _judged(before, case), now)


def _judged(policy: Policy | None, case: ReplayCase) -> ReplayVerdict:
    """Without a policy that judges it, a request cannot be submitted."""
    return ReplayVerdict(PolicyOutcome.DENIED, {}) if policy is None else replay(policy, case)


def share_of(cases: Iterable[ReplayCase]) -> ReplayShare:
    """The number of cases and their total cost."""
    those = list(cases)
    return ReplayShare(len(those), sum((each.usd for each in those), ZERO), sum((each.gpu_h for each in those), ZERO))


def shares(verdicts: Sequence[tuple[ReplayCase, ReplayVerdict]]) -> dict[PolicyOutcome, ReplayShare]:
    """The share of the cases for each outcome."""
    return {
        outcome: share_of(case for case, verdict in verdicts if verdict.outcome is outcome) for outcome in PolicyOutcome
    }


def rule_counts(verdicts: Iterable[ReplayVerdict]) -> dict[str, int]:
    """The number of cases in which each rule has an effect, most frequent first."""
    counted = Counter(rule for verdict in verdicts for rule in verdict.effects)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
