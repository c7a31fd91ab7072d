"""Back-tests of a policy: what it would have said of requests that were judged before, set beside another version.

Pure: facts and a policy version in, outcomes out. A replay asks the very rules that judge requests, without their
sentences.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.rulebook.domain.evaluation import Outcome, Subject, outcome_of, standing_effects
from governance.rulebook.domain.metric_index import Known
from governance.rulebook.domain.policy import Effect, Policy

ZERO = Decimal(0)
NEEDS_REVIEW = frozenset({Outcome.REVIEW_REQUIRED, Outcome.DENIED})


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request as it stood when it was judged: what was known of it then, and what it would cost in USD
    and GPU hours.
    """

    ref: str
    subject: Subject
    told: Known
    at: datetime
    waived: frozenset[str] = frozenset()
    usd: Decimal = ZERO
    gpu_h: Decimal = ZERO


@dataclass(frozen=True)
class Verdict:
    """What a version says of one case: the outcome, and the rules that stand against it."""

    outcome: Outcome
    effects: dict[str, Effect]


@dataclass(frozen=True)
class Comparison:
    """One case under two versions."""

    case: Case
    before: Verdict
    after: Verdict

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
class Share:
    """How many cases a version puts somewhere, and what they would cost."""

    count: int
    usd: Decimal
    gpu_h: Decimal


def replay(policy: Policy, case: Case) -> Verdict:
    """What the policy says of a case, at the instant at which it was judged."""
    effects = standing_effects(policy, subject=case.subject, told=case.told, now=case.at, waived=case.waived)
    return Verdict(outcome_of(effects.values()), effects)


def compare(cases: Iterable[Case], *, before: Policy, after: Policy) -> tuple[Comparison, ...]:
    """Every case under both versions, in the order given."""
    is_same = before.digest == after.digest
    found = []
    for case in cases:
        now = replay(after, case)
        found.append(Comparison(case, now if is_same else replay(before, case), now))
    return tuple(found)


def share(cases: Iterable[Case]) -> Share:
    """Their number and what they would cost in all."""
    those = list(cases)
    return Share(len(those), sum((each.usd for each in those), ZERO), sum((each.gpu_h for each in those), ZERO))


def shares(verdicts: Sequence[tuple[Case, Verdict]]) -> dict[Outcome, Share]:
    """For each outcome the share of the cases that get it."""
    return {outcome: share(case for case, said in verdicts if said.outcome is outcome) for outcome in Outcome}


def rule_counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Against how many cases each rule stands, the most frequent first."""
    counted = Counter(rule for said in verdicts for rule in said.effects)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
