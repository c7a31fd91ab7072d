"""The cost of an accepted answer: tries until a check accepts one, the checks, and a person where none is accepted.

A try passes with the chance p and costs c; its check costs j, accepts a right answer with the sensitivity s and a wrong
one with the share f. So a try is accepted with the chance a = p s + (1 - p) f. With at most k tries:

    attempts = sum of E[(1 - a)^i] for i from 0 to k - 1      (one chance for all: (1 - (1 - a)^k) / a)
    right    = s sum of E[(1 - a)^i p]
    wrong    = f sum of E[(1 - a)^i (1 - p)]
    accepted = right + wrong = 1 - E[(1 - a)^k]
    tries    = attempts (c + j)
    a task   = tries + (1 - accepted) h + wrong L

where h is what a person costs who answers instead, and L the loss of a wrong answer that was accepted. An accepted
answer costs (tries + wrong L) / accepted; with a person, every task ends with one, and it costs what a task costs. The
check of a try is assumed to depend on whether the answer is right, and on nothing else.

The functions take numbers of any kind: exact decimals, floats, or draws.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.parts.managed import ManagedApi, managed_cost
from weighbridge.costs.spec.usd import UsdPerRequest
from weighbridge.costs.uncertainty import Amount, Share, check_amounts
from weighbridge.costs.value.pass_rates import (
    ITEMS_MAX,
    TRIES_MAX,
    RepeatedRuns,
    drawn_rate,
    independent_moments,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerChecks:
    """How often a try passes, how it is checked, how often it is repeated, and what a failure costs.

    The chance that a try passes is `pass_rate`, or follows from a test in which `passed` of `items` passed.
    `judge_usd` is what a check costs, or `judge` the call that makes it. `sensitivity` is the share of right answers
    that the check accepts, `false_accept_share` that of wrong ones. `fallback_usd` is what a person costs who answers
    after the last try; without one, the task stays unanswered. `wrong_usd` is the loss of a wrong answer accepted.
    """

    pass_rate: Share | None = None
    passed: int = 0
    items: int = 0
    tries: int = 1
    judge_usd: UsdPerRequest = 0.0
    judge: ManagedApi | None = None
    sensitivity: Share = 1.0
    false_accept_share: Share = 0.0
    fallback_usd: Amount | None = None
    wrong_usd: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts, the counts and the number of tries."""
        check_amounts(self)
        if (self.pass_rate is None) == (self.items == 0):
            raise Invalid("Give either pass_rate, or passed and items.", field="pass_rate")
        if self.items > ITEMS_MAX or not 0 <= self.passed <= self.items:
            text = f"passed must be of at most {ITEMS_MAX:,} items; {self.passed} of {self.items} are not."
            raise Invalid(text, field="passed")
        if not 1 <= self.tries <= TRIES_MAX:
            raise Invalid(f"tries must be 1 to {TRIES_MAX}, not {self.tries}.", field="tries")

    @property
    def usd_per_check(self) -> Number:
        """What the check of one try costs."""
        return self.judge_usd + (0.0 if self.judge is None else managed_cost(self.judge).total_usd)

    def moments(self) -> tuple[Number, ...]:
        """Return the moments of independent tries; without a stated rate, at the rate of the test."""
        rate = self.passed / self.items if self.pass_rate is None else self.pass_rate
        return independent_moments(rate, self.tries)

    def drawn(self, *, n: int, seed: int, stream: str) -> "AnswerChecks":
        """Return the same with draws of the pass rate, if it follows from counts."""
        if self.pass_rate is not None:
            return self
        rate = drawn_rate(self.passed, self.items, n=n, seed=seed, stream=stream)
        return dataclasses.replace(self, pass_rate=rate, passed=0, items=0)


@dataclasses.dataclass(frozen=True)
class TriesOutcome:
    """What the tries of a task come to: their number, the chance that one is accepted, that it is accepted and wrong,
    and the number of right answers that the check rejects.
    """

    attempts: Number
    accepted: Number
    wrong: Number
    rejected_right: Number

    @property
    def wrong_among_accepted(self) -> Number:
        """The share of wrong answers among the accepted ones; 0 if none is accepted."""
        return divided(self.wrong, self.accepted, otherwise=0.0)


@dataclasses.dataclass(frozen=True)
class AcceptedCost:
    """What a task and an accepted answer cost in US dollars, and what that follows from."""

    outcome: TriesOutcome
    usd_per_try: Number
    tries_usd: Number
    fallback_usd: Number
    wrong_usd: Number
    has_fallback: bool

    @property
    def usd_per_task(self) -> Number:
        """Tries, the person after the last one, and the loss of wrong answers."""
        return self.tries_usd + self.fallback_usd + self.wrong_usd

    @property
    def usd_per_accepted(self) -> Number:
        """What one accepted answer costs; infinite if none is."""
        if self.has_fallback:
            return self.usd_per_task
        return divided(self.tries_usd + self.wrong_usd, self.outcome.accepted, otherwise=math.inf)

    @property
    def unanswered(self) -> Number:
        """The chance that no try of a task is accepted."""
        return 1 - self.outcome.accepted

    def at_failure_cost(self, usd: Number) -> Number:
        """Return what a task costs if each task without an accepted answer costs this, instead of the person."""
        return self.tries_usd + self.wrong_usd + self.unanswered * usd


def outcome(moments: Sequence[Number], *, sensitivity: Number = 1, false_accepts: Number = 0) -> TriesOutcome:
    """Return the outcome of k tries from the moments M_0 to M_k of the chance that one passes.

    With 1 - a = u - p v, u = 1 - f and v = s - f, the expectation of (1 - a)^i p^e is the sum over m of
    C(i, m) u^(i - m) (-v)^m M_(m + e).
    """
    tries = len(moments) - 1
    u = independent_moments(1 - false_accepts, tries)
    v = independent_moments(false_accepts - sensitivity, tries)

    def expected(power: int, extra: int) -> Number:
        terms = (math.comb(power, m) * u[power - m] * v[m] * moments[m + extra] for m in range(power + 1))
        return sum(terms)

    attempts = sum(expected(power, 0) for power in range(tries))
    passes = sum(expected(power, 1) for power in range(tries))
    wrong = (attempts - passes) * false_accepts
    return TriesOutcome(attempts, passes * sensitivity + wrong, wrong, passes * (1 - sensitivity))


def accepted_cost(
    checks: AnswerChecks, usd_per_try: Number, *, runs: Sequence[Number] | RepeatedRuns | None = None
) -> AcceptedCost:
    """Return the cost of a task from what one try costs. `runs` replaces the pass rate: repeated runs, or their draws.

    Amounts of `checks` are numbers or draws, no ranges.
    """
    moments = runs.moments(checks.tries) if isinstance(runs, RepeatedRuns) else runs
    found = outcome(
        checks.moments() if moments is None else moments,
        sensitivity=checks.sensitivity,
        false_accepts=checks.false_accept_share,
    )
    person = 0.0 if checks.fallback_usd is None else (1 - found.accepted) * checks.fallback_usd
    return AcceptedCost(
        found,
        usd_per_try,
        tries_usd=found.attempts * (usd_per_try + checks.usd_per_check),
        fallback_usd=person,
        wrong_usd=found.wrong * checks.wrong_usd,
        has_fallback=checks.fallback_usd is not None,
    )


def divided(amount: Number, by: Number, *, otherwise: float) -> Number:
    """Return the quotient, and `otherwise` where the divisor is not above zero."""
    if isinstance(by, np.ndarray) or isinstance(amount, np.ndarray):
        amounts, divisors = np.broadcast_arrays(np.asarray(amount, np.float64), np.asarray(by, np.float64))
        found = np.full(amounts.shape, otherwise)
        np.divide(amounts, divisors, out=found, where=divisors > 0)
        return found
    return amount / by if by > 0 else otherwise
