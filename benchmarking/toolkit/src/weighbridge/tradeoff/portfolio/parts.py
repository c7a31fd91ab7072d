"""Split a problem into parts that share no account, as arrays. Each part is solved on its own.

Accounts that no choice exceeds in any draw are left out. If the chance constraint is joint, everything is one part.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from weighbridge.tradeoff.portfolio.problem import Draws, PortfolioProblem

Picks = npt.NDArray[np.intp]
ROUNDING, SIZE_MIN = 1e-9, 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPart:
    """Models that share accounts, as arrays.

    value: (models, variants), the mean net value. uses: (draws, accounts, models, variants). Models with fewer variants
    than others repeat their first one; `counts` has the real numbers. budgets: (accounts,), with the rounding of sums.
    """

    models: tuple[int, ...]
    accounts: tuple[int, ...]
    value: Draws
    uses: Draws
    budgets: Draws
    prices: Draws
    counts: Picks
    over_max: int
    jointly: bool

    @property
    def sizes(self) -> Draws:
        """What divides the amounts of each account so that none is far above 1, even for a budget of 0: (accounts,)."""
        sizes: Draws = np.maximum(np.maximum(self.budgets, self.uses.max(axis=(0, 2, 3))), SIZE_MIN)
        return sizes

    def totals(self, picks: Picks) -> Draws:
        """What the picked variants use together: (draws, accounts)."""
        total: Draws = self.uses[:, :, np.arange(len(picks)), picks].sum(axis=2)
        return total

    def worth(self, picks: Picks) -> float:
        """The expected net value of the picked variants."""
        return float(self.value[np.arange(len(picks)), picks].sum())

    def holds(self, totals: Draws) -> npt.NDArray[np.bool_]:
        """Whether the chance constraint holds; totals: (draws, accounts, ...) -> (...)."""
        over: npt.NDArray[np.bool_] = totals > self.budgets.reshape(-1, *[1] * (totals.ndim - 2))
        if self.jointly:
            over = np.any(over, axis=1, keepdims=True)
        held: npt.NDArray[np.bool_] = (over.sum(axis=0) <= self.over_max).all(axis=0)
        return held

    def holds_with(self, picks: Picks) -> bool:
        """Whether the chance constraint holds with the picked variants."""
        return bool(self.holds(self.totals(picks)[..., None])[0])

    def shortfall(self, totals: Draws) -> Draws:
        """The USD by which budgets must grow for the constraint to hold; totals: (draws, accounts, ...) -> (...)."""
        missing = np.maximum(self.needed(totals) - self.budgets.reshape(-1, *[1] * (totals.ndim - 2)), 0)
        short: Draws = np.tensordot(self.prices, missing, axes=(0, 0))
        return short

    def needed(self, totals: Draws) -> Draws:
        """The smallest budgets with which the constraint holds: (accounts, ...).

        If jointly, those that hold in the draws with the smallest relative excess, which need not be the cheapest.
        """
        draws = totals.shape[0]
        if not self.jointly:
            rank = draws - self.over_max - 1
            ranked: Draws = np.partition(totals, rank, axis=0)[rank]
            return ranked
        scale = np.maximum(self.budgets, 1.0).reshape(-1, *[1] * (totals.ndim - 2))
        excess = ((totals - self.budgets.reshape(scale.shape)) / scale).max(axis=1)
        kept = np.argsort(excess, axis=0, kind="stable")[: draws - self.over_max]
        taken: Draws = np.take_along_axis(totals, kept[:, None], axis=0).max(axis=0)
        return taken


def parts_of(problem: PortfolioProblem, *, budgets: Draws | None = None) -> list[PortfolioPart]:
    """The parts, in the order of their first model. `budgets` replaces those of the accounts."""
    limits = np.array([account.budget for account in problem.accounts]) if budgets is None else budgets
    used = [_used(problem, place) for place in range(len(problem.accounts))]
    tight = [
        place for place, draws in enumerate(used) if (draws.max(axis=2).sum(axis=1) > _rounded(limits[place])).any()
    ]
    groups = _groups(problem, used, tight)
    return [_part(problem, models, accounts, used, limits) for models, accounts in groups]


def _rounded(budget: float) -> float:
    return float(budget + ROUNDING * max(1.0, abs(budget)))


def _width(problem: PortfolioProblem) -> int:
    return max(len(model.variants) for model in problem.models)


def _used(problem: PortfolioProblem, place: int) -> Draws:
    """(draws, models, variants): what every variant uses of one account."""
    name, width = problem.accounts[place].name, _width(problem)
    used = np.zeros((problem.draws, len(problem.models), width))
    for row, model in enumerate(problem.models):
        for column in range(width):
            variant = model.variants[column if column < len(model.variants) else 0]
            if name in variant.uses:
                used[:, row, column] = variant.uses[name]
    return used


def _groups(
    problem: PortfolioProblem, used: list[Draws], tight: list[int]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Models and accounts that are connected: a model is connected with each tight account that it can use."""
    everything = range(len(problem.models))
    if problem.jointly and tight:
        return [(tuple(everything), tuple(tight))]
    root = list(everything)

    def find(model: int) -> int:
        while root[model] != model:
            model = root[model]
        return model

    members = {place: np.flatnonzero(used[place].any(axis=(0, 2))).tolist() for place in tight}
    for models in members.values():
        first = find(models[0])
        for model in models[1:]:
            low, high = sorted((find(first), find(model)))
            root[high] = low
    groups: dict[int, list[int]] = {}
    for model in everything:
        groups.setdefault(find(model), []).append(model)
    return [
        (tuple(models), tuple(place for place in tight if find(members[place][0]) == top))
        for top, models in groups.items()
    ]


def _part(
    problem: PortfolioProblem,
    models: tuple[int, ...],
    accounts: tuple[int, ...],
    used: list[Draws],
    limits: Draws,
) -> PortfolioPart:
    width = _width(problem)
    value = np.array(
        [
            [
                problem.models[row].variants[column if column < len(problem.models[row].variants) else 0].value.mean()
                for column in range(width)
            ]
            for row in models
        ]
    )
    chosen = [used[place][:, models, :] for place in accounts]
    uses = np.stack(chosen, axis=1) if chosen else np.zeros((problem.draws, 0, len(models), width))
    return PortfolioPart(
        models=models,
        accounts=accounts,
        value=value,
        uses=uses,
        budgets=np.array([_rounded(float(limits[place])) for place in accounts]),
        prices=np.array([problem.accounts[place].usd_per_unit for place in accounts]),
        counts=np.array([len(problem.models[row].variants) for row in models]),
        over_max=problem.over_max,
        jointly=problem.jointly,
    )
