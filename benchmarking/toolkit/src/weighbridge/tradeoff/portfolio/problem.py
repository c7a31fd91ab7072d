"""The problem: models with variants, the draws of their value and of what they use, and the budgets.

Draw `i` of every value and use belongs to the same scenario, so that common causes stay common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from weighbridge.core.errors import Invalid

Draws = npt.NDArray[np.float64]

MODELS_MAX, VARIANTS_MAX, ACCOUNTS_MAX, DRAWS_MAX = 1_000, 20, 500, 5_000
NUMBER_MAX = 1e15
CELLS_MAX = 50_000_000
"""The most draws x accounts x models x variants: 400 MB of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimit:
    """A budget in `unit`. `usd_per_unit` weighs it against others where the cheapest change is sought."""

    name: str
    budget: float
    unit: str = "USD"
    usd_per_unit: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioVariant:
    """One way to run a model. Draws of net value in USD, and of what it uses of each account; absent is nothing."""

    name: str
    value: Draws
    uses: Mapping[str, Draws] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioModel:
    """A model. Its first variant is the one that was asked for."""

    name: str
    variants: tuple[PortfolioVariant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioProblem:
    """Exactly one variant of each model is chosen.

    Each account may be exceeded in at most the share `over_at_most` of the draws; if `jointly`, at most that share of
    the draws may exceed any account.
    """

    models: tuple[PortfolioModel, ...]
    accounts: tuple[BudgetLimit, ...]
    over_at_most: float = 0.1
    jointly: bool = False

    @property
    def draws(self) -> int:
        """The number of scenarios."""
        return len(self.models[0].variants[0].value)

    @property
    def over_max(self) -> int:
        """The number of draws that may exceed an account; one draw at least must hold."""
        return min(int(np.floor(self.over_at_most * self.draws + 1e-9)), self.draws - 1)


def check_problem(problem: PortfolioProblem) -> None:
    """Raise Invalid, with the place, unless the problem can be solved as written."""
    _check_count("models", len(problem.models), MODELS_MAX)
    _check_count("accounts", len(problem.accounts), ACCOUNTS_MAX)
    if not 0 <= problem.over_at_most < 1:
        raise Invalid("over_at_most must be at least 0 and less than 1.", field="over_at_most")
    _check_unique([account.name for account in problem.accounts], "accounts")
    _check_unique([model.name for model in problem.models], "models")
    for place, account in enumerate(problem.accounts):
        _check_amount(account.budget, f"accounts[{place}].budget")
        _check_amount(account.usd_per_unit, f"accounts[{place}].usd_per_unit")
    names = {account.name for account in problem.accounts}
    for place, model in enumerate(problem.models):
        _check_model(model, f"models[{place}]", names)
    _check_same_draws(problem)
    _check_size(problem)


def _check_model(model: PortfolioModel, place: str, accounts: set[str]) -> None:
    _check_count(f"{place}.variants", len(model.variants), VARIANTS_MAX)
    _check_unique([variant.name for variant in model.variants], f"{place}.variants")
    for number, variant in enumerate(model.variants):
        at = f"{place}.variants[{number}]"
        _check_draws(variant.value, f"{at}.value")
        for name, draws in variant.uses.items():
            if name not in accounts:
                raise Invalid(f"There is no account {name!r}.", field=f"{at}.uses")
            _check_draws(draws, f"{at}.uses.{name}")
            if draws.min() < 0:
                raise Invalid("A variant cannot use less than nothing of an account.", field=f"{at}.uses.{name}")


def _check_same_draws(problem: PortfolioProblem) -> None:
    for place, model in enumerate(problem.models):
        for number, variant in enumerate(model.variants):
            for draws in (variant.value, *variant.uses.values()):
                if len(draws) != problem.draws:
                    raise Invalid(
                        f"Every value and use needs {problem.draws} draws, as the first has; here are {len(draws)}.",
                        field=f"models[{place}].variants[{number}]",
                    )


def _check_size(problem: PortfolioProblem) -> None:
    widest = max(len(model.variants) for model in problem.models)
    cells = problem.draws * len(problem.accounts) * len(problem.models) * widest
    if cells > CELLS_MAX:
        raise Invalid(
            f"The problem has {cells:,} numbers (draws x accounts x models x variants); at most {CELLS_MAX:,} are "
            "solved. Give fewer draws, or solve teams that share no account one by one.",
            field="models",
        )


def _check_draws(draws: Draws, field_name: str) -> None:
    _check_count(field_name, len(draws), DRAWS_MAX)
    if not np.isfinite(draws).all() or np.abs(draws).max() > NUMBER_MAX:
        raise Invalid(f"Every draw must be a finite number of at most {NUMBER_MAX:g}.", field=field_name)


def _check_amount(amount: float, field_name: str) -> None:
    if not 0 <= amount <= NUMBER_MAX:
        raise Invalid(f"This must be a number from 0 to {NUMBER_MAX:g}.", field=field_name)


def _check_count(field_name: str, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise Invalid(f"There must be 1 to {most:,}; here are {count:,}.", field=field_name)


def _check_unique(names: list[str], field_name: str) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not all(names):
        words = ", ".join(doubled) or "an empty name"
        raise Invalid(f"Every name must be given once; here is {words}.", field=field_name)
