"""Back-tests of a policy: what it would have said of requests that were judged before, set beside another version.

Pure: metrics and a policy version in, outcomes out. A replay asks the very rules that judge requests, without their
sentences.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.rulebook.domain.evaluation import EvaluationSubject, PolicyOutcome, outcome_of, standing_effects
from governance.rulebook.domain.metric_index import MetricIndex
from governance.rulebook.domain.policy import Policy, RuleEffect

ZERO = Decimal(0)
NEEDS_REVIEW = frozenset({PolicyOutcome.REVIEW_REQUIRED, PolicyOutcome.DENIED})


@dataclass(frozen=True, kw_only=True)
class ReplayCase:
    """A request as it stood when it was judged: what was known of it then, and what it would cost in USD
    and GPU hours.
    """

    ref: str
    subject: EvaluationSubject
    told: MetricIndex
    at: datetime
    waived: frozenset[str] = frozenset()
    usd: Decimal = ZERO
    gpu_h: Decimal = ZERO


@dataclass(frozen=True)
class ReplayVerdict:
    """What a version says of one case: the outcome, and the rules that stand against it."""

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
        """Whether the later version asks for more."""
        return self.after.outcome.rank > self.before.outcome.rank

    @property
    def is_looser(self) -> bool:
        """Whether the later version asks for less."""
        return self.after.outcome.rank < self.before.outcome.rank

    @property
    def new_rules(self) -> tuple[str, ...]:
        """Rules that stand against it now and did not before."""
        return tuple(rule for rule in self.after.effects if rule not in self.before.effects)

    @property
    def gone_rules(self) -> tuple[str, ...]:
        """Rules that stood against it and do no more."""
        return tuple(rule for rule in self.before.effects if rule not in self.after.effects)


@dataclass(frozen=True)
class ReplayShare:
    """How many cases a version puts somewhere, and what they would cost."""

    count: int
    usd: Decimal
    gpu_h: Decimal


def replay(policy: Policy, case: ReplayCase) -> ReplayVerdict:
    """What the policy says of a case, at the instant at which it was judged."""
    effects = standing_effects(policy, subject=case.subject, told=case.told, now=case.at, waived=case.waived)
    return ReplayVerdict(outcome_of(effects.values()), effects)


def compare(cases: Iterable[ReplayCase], *, before: Policy, after: Policy) -> tuple[ReplayComparison, ...]:
    """Every case under both versions, in the order given."""
    is_same = before.digest == after.digest
    found = []
    for case in cases:
        now = replay(after, case)
        found.append(ReplayComparison(case, now if is_same else replay(before, case), now))
    return tuple(found)


def share(cases: Iterable[ReplayCase]) -> ReplayShare:
    """Their number and what they would cost in all."""
    those = list(cases)
    return ReplayShare(len(those), sum((each.usd for each in those), ZERO), sum((each.gpu_h for each in those), ZERO))


def shares(verdicts: Sequence[tuple[ReplayCase, ReplayVerdict]]) -> dict[PolicyOutcome, ReplayShare]:
    """For each outcome the share of the cases that get it."""
    return {outcome: share(case for case, said in verdicts if said.outcome is outcome) for outcome in PolicyOutcome}


def rule_counts(verdicts: Iterable[ReplayVerdict]) -> dict[str, int]:
    """Against how many cases each rule stands, the most frequent first."""
    counted = Counter(rule for said in verdicts for rule in said.effects)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
