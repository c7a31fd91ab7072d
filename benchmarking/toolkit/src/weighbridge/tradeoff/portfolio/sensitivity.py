"""Which budgets bind, and what more of them is worth.

Choices are whole, so there is no price of a budget. The problem is solved again with a larger budget instead: without a
limit for what the limit costs, and with 1, 10, 100, ... more units until the value grows. Every account that a choice
could exceed is asked, because one may bind only through an exchange: one model gives up value, and another gains more.

The search may find a better choice that keeps the budgets as they are. That is no worth of a budget: it becomes the
choice, and the accounts are asked again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from weighbridge.tradeoff.portfolio.bounds import gap_of
from weighbridge.tradeoff.portfolio.parts import Picks, PortfolioPart, parts_of
from weighbridge.tradeoff.portfolio.problem import NUMBER_MAX, BudgetLimit, PortfolioProblem
from weighbridge.tradeoff.portfolio.search import is_over, now
from weighbridge.tradeoff.portfolio.solver import PROVEN, Solved, solve

STEPS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)
SMALLEST_GAIN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An account that limits the value. `lost` is what its limit alone costs, in USD of expected value.

    It is 0 if other accounts refuse the same variants, and None if the time had passed before it was known.

    `step` more units of it are the first tried that raise the value, by `gain`; both None if no tried step did, or if
    the time had passed. `refuses` says whether it refuses a better variant of a single model; otherwise it refuses an
    exchange between models. `is_exact` is false where the amounts come from the search: there may be better choices.
    """

    account: int
    lost: float | None
    step: float | None = None
    gain: float | None = None
    refuses: bool = True
    is_exact: bool = True

    @property
    def worth_of_one(self) -> float | None:
        """The gain for each unit of the step."""
        return None if self.step is None or self.gain is None else self.gain / self.step


def bindings(problem: PortfolioProblem, solved: Solved, *, seconds: float) -> tuple[Solved, tuple[Binding, ...]]:
    """The choice, better if a better one was found, and the accounts that bind, in the order of the problem.

    No account is asked if the budgets do not hold.
    """
    if not solved.holds:
        return solved, ()
    ends_at, picks = now() + seconds, solved.picks.copy()
    found: list[Binding] = []
    for part in parts_of(problem):
        if part.accounts:
            asked = _AskedPart(problem, part, picks[list(part.models)], is_exact=solved.is_proven, ends_at=ends_at)
            found += asked.bindings()
            picks[list(part.models)] = asked.picks
    return _with(problem, solved, picks), tuple(sorted(found, key=lambda each: each.account))


def _with(problem: PortfolioProblem, solved: Solved, picks: Picks) -> Solved:
    """The solution with picks that hold too, and are at least as good."""
    if (picks == solved.picks).all():
        return solved
    chosen = (model.variants[pick] for model, pick in zip(problem.models, picks, strict=True))
    value = float(sum(variant.value.mean() for variant in chosen))
    bound = max(solved.bound, value)
    return replace(solved, picks=picks, value=value, bound=bound, is_proven=gap_of(value, bound) <= PROVEN)


class _AskedPart:
    """A part as a problem of its own, whose accounts are asked one by one."""

    def __init__(
        self, problem: PortfolioProblem, part: PortfolioPart, picks: Picks, *, is_exact: bool, ends_at: float
    ) -> None:
        self.picks = picks
        self._part, self._is_exact, self._ends_at = part, is_exact, ends_at
        self._problem = replace(
            problem,
            models=tuple(problem.models[row] for row in part.models),
            accounts=tuple(problem.accounts[place] for place in part.accounts),
        )
        self._budgets = np.array([account.budget for account in self._problem.accounts])

    def bindings(self) -> list[Binding]:
        """The accounts that bind. `picks` are better afterwards if a better choice was found that holds."""
        while True:
            before = self.picks
            found: list[Binding] = []
            for place, refuses in self._order():
                found += self._asked(place, refuses=refuses)
                if self.picks is not before:
                    break
            if self.picks is before:
                return found

    def _order(self) -> list[tuple[int, bool]]:
        """The accounts that refuse a better variant of a single model, then the others; the tightest first."""
        refuses, slack = _refusals(self._part, self.picks)
        return [(int(place), bool(refuses[place])) for place in np.lexsort((slack, ~refuses))]

    def _asked(self, place: int, *, refuses: bool) -> Iterator[Binding]:
        """The binding of an account; nothing if more of it adds nothing and it refuses no better variant."""
        unknown = Binding(account=self._part.accounts[place], lost=None, refuses=refuses, is_exact=False)
        if is_over(self._ends_at):
            yield unknown
            return
        lost, is_exact = self._gain(place, NUMBER_MAX)
        if lost == 0 and not is_exact and is_over(self._ends_at):
            yield unknown
        elif lost > 0:
            yield self._with_step(place, replace(unknown, lost=lost, is_exact=is_exact))
        elif refuses:
            yield replace(unknown, lost=lost, is_exact=is_exact)

    def _with_step(self, place: int, binding: Binding) -> Binding:
        is_exact = binding.is_exact
        for step in STEPS:
            if is_over(self._ends_at):
                break
            gain, exactly = self._gain(place, self._budgets[place] + step)
            is_exact = is_exact and exactly
            if gain > 0:
                return replace(binding, step=step, gain=gain, is_exact=is_exact)
        return binding

    def _gain(self, place: int, budget: float) -> tuple[float, bool]:
        """How much the value grows with a larger budget, and whether that is exact.

        It is never less than 0: the choice so far still holds. If the larger budget is not needed for the new choice,
        this becomes the choice, and nothing is gained.
        """
        budgets = self._budgets.copy()
        budgets[place] = budget
        left_s = self._ends_at - now()
        again = solve(self._problem, budgets=budgets, seconds=left_s, start=self.picks, proves=False)
        value = self._part.worth(self.picks)
        is_exact = self._is_exact and again.is_proven
        if again.value - value <= SMALLEST_GAIN * max(1.0, abs(value)):
            return 0.0, is_exact
        if self._part.holds_with(again.picks):
            self.picks = again.picks
            return 0.0, False
        return again.value - value, is_exact


def _refusals(part: PortfolioPart, picks: Picks) -> tuple[np.ndarray, np.ndarray]:
    """By account: whether it refuses a better variant of a single model, and the share of it that is left."""
    models, variants = np.nonzero(part.value > part.value[np.arange(len(picks)), picks][:, None])
    own = part.totals(picks)
    totals = own[..., None] + part.uses[:, :, models, variants] - part.uses[:, :, models, picks[models]]
    over = (totals > part.budgets[None, :, None]).sum(axis=0) > part.over_max
    if part.jointly:
        over |= ~part.holds(totals)[None]
    return over.any(axis=1), (part.budgets - part.needed(own)) / part.sizes


def cheapest_change(problem: PortfolioProblem, solved: Solved) -> tuple[tuple[BudgetLimit, float], ...]:
    """The growth of each budget with which the picks of a solution that does not hold do, rounded up to cents."""
    grown = []
    for part in parts_of(problem):
        if not part.accounts:
            continue
        needed = part.needed(part.totals(solved.picks[list(part.models)]))
        for account, need, budget in zip(part.accounts, needed, part.budgets, strict=True):
            if need > budget:
                limit = problem.accounts[account]
                grown.append((limit, float(np.ceil((need - limit.budget) * 100 - 1e-6) / 100)))
    return tuple(grown)
