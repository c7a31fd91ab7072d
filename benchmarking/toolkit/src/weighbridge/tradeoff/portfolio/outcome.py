"""The outcome of a portfolio: the choice, what it is worth, what it uses, what binds, and what was asked."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from weighbridge.tradeoff.portfolio.parts import Picks
from weighbridge.tradeoff.portfolio.problem import BudgetLimit, Draws, PortfolioProblem, check_problem
from weighbridge.tradeoff.portfolio.search import now
from weighbridge.tradeoff.portfolio.sensitivity import Binding, bindings, cheapest_change
from weighbridge.tradeoff.portfolio.solver import SECONDS, solve

SCHEMA = "weighbridge.portfolio-choice/1"
CONFIDENCE = 0.95
SOLVING = 2 / 3
"""The share of the time for the choice; the rest is for what binds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUse:
    """What a choice uses of an account. `over` is the share of the draws above the budget, with its interval."""

    name: str
    unit: str
    budget: float
    expected: float
    p90: float
    over: float
    over_lower: float
    over_upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioTotals:
    """A choice as a whole. `over_any` is the share of the draws in which any account is exceeded."""

    value: float
    value_p10: float
    value_p90: float
    over_any: float
    accounts: tuple[AccountUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The variant chosen for a model, and the variant that was asked for."""

    model: str
    variant: str
    asked: str
    value: float
    asked_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioOutcome:
    """The outcome, with the distance of the value from the `bound` as a share of the larger of the two as `gap`.

    If `holds` is false, no choice was found that keeps the budgets; with `change`, one does.
    """

    holds: bool
    is_proven: bool
    gap: float
    bound: float
    choices: tuple[ModelChoice, ...]
    totals: PortfolioTotals
    asked: PortfolioTotals
    bindings: tuple[Binding, ...]
    change: tuple[tuple[BudgetLimit, float], ...]


def optimized(problem: PortfolioProblem, *, seconds: float = SECONDS) -> PortfolioOutcome:
    """Check and solve a problem in about `seconds`, and describe the choice. Raises Invalid if it cannot.

    The seconds are of processor time.
    """
    check_problem(problem)
    # This imports scipy, which takes longer than many a search: before the time begins.
    asked = totals_of(problem, np.zeros(len(problem.models), dtype=np.intp))
    ends_at = now() + seconds
    solved = solve(problem, seconds=seconds * SOLVING)
    solved, found = bindings(problem, solved, seconds=ends_at - now())
    return PortfolioOutcome(
        holds=solved.holds,
        is_proven=solved.is_proven,
        gap=solved.gap,
        bound=solved.bound,
        choices=tuple(
            ModelChoice(
                model=model.name,
                variant=model.variants[pick].name,
                asked=model.variants[0].name,
                value=float(model.variants[pick].value.mean()),
                asked_value=float(model.variants[0].value.mean()),
            )
            for model, pick in zip(problem.models, solved.picks, strict=True)
        ),
        totals=totals_of(problem, solved.picks),
        asked=asked,
        bindings=found,
        change=() if solved.holds else cheapest_change(problem, solved),
    )


def totals_of(problem: PortfolioProblem, picks: Picks) -> PortfolioTotals:
    """What the picked variants are worth and use together."""
    chosen = [model.variants[pick] for model, pick in zip(problem.models, picks, strict=True)]
    value = np.sum([variant.value for variant in chosen], axis=0)
    nothing = np.zeros(problem.draws)
    used = [
        np.sum([variant.uses.get(account.name, nothing) for variant in chosen], axis=0) for account in problem.accounts
    ]
    over = np.array([_is_over(use, account) for use, account in zip(used, problem.accounts, strict=True)])
    return PortfolioTotals(
        value=float(value.mean()),
        value_p10=float(np.quantile(value, 0.1)),
        value_p90=float(np.quantile(value, 0.9)),
        over_any=float(over.any(axis=0).mean()),
        accounts=tuple(_use(account, use) for account, use in zip(problem.accounts, used, strict=True)),
    )


def _is_over(use: Draws, account: BudgetLimit) -> Any:
    return use > account.budget + 1e-9 * max(1.0, account.budget)


def _use(account: BudgetLimit, use: Draws) -> AccountUse:
    over, draws = int(_is_over(use, account).sum()), len(use)
    lower, upper = share_interval(over, draws)
    return AccountUse(
        name=account.name,
        unit=account.unit,
        budget=account.budget,
        expected=float(use.mean()),
        p90=float(np.quantile(use, 0.9)),
        over=over / draws,
        over_lower=lower,
        over_upper=upper,
    )


def share_interval(count: int, draws: int) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper and Pearson, Biometrika 26 (1934) 404-413)."""
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    lower = 0.0 if count == 0 else float(beta.ppf(tail, count, draws - count + 1))
    upper = 1.0 if count == draws else float(beta.ppf(1 - tail, count + 1, draws - count))
    return lower, upper


def outcome_document(problem: PortfolioProblem, outcome: PortfolioOutcome) -> dict[str, Any]:
    """The outcome as a document of `weighbridge.portfolio-choice/1`."""
    return {
        "schema": SCHEMA,
        "draws": problem.draws,
        "over_at_most": problem.over_at_most,
        "jointly": problem.jointly,
        "holds": outcome.holds,
        "is_proven": outcome.is_proven,
        "gap": outcome.gap,
        "bound": outcome.bound,
        "choices": [asdict(choice) for choice in outcome.choices],
        "totals": asdict(outcome.totals),
        "asked": asdict(outcome.asked),
        "binding": [
            {
                "account": problem.accounts[each.account].name,
                "unit": problem.accounts[each.account].unit,
                "lost": each.lost,
                "step": each.step,
                "gain": each.gain,
                "worth_of_one": each.worth_of_one,
                "is_exact": each.is_exact,
            }
            for each in outcome.bindings
        ],
        "change": [{"account": limit.name, "unit": limit.unit, "increase": more} for limit, more in outcome.change],
    }
