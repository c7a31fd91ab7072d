"""Small portfolios for tests, and their best choice by trying all."""

import itertools
import json
from pathlib import Path

import numpy as np

from weighbridge.tradeoff.portfolio.problem import BudgetLimit, PortfolioModel, PortfolioProblem, PortfolioVariant


def problem(
    values: list[list[float]],
    uses: list[list[list[list[float]]]],
    budgets: list[float],
    **options: object,
) -> PortfolioProblem:
    """values[model][variant]; uses[model][variant][account][draw]."""
    draws = len(uses[0][0][0])
    models = tuple(
        PortfolioModel(
            name=f"model {row}",
            variants=tuple(
                PortfolioVariant(
                    name=f"variant {column}",
                    value=np.full(draws, float(value)),
                    uses={f"account {place}": np.array(used, float) for place, used in enumerate(uses[row][column])},
                )
                for column, value in enumerate(variants)
            ),
        )
        for row, variants in enumerate(values)
    )
    accounts = tuple(BudgetLimit(name=f"account {place}", budget=float(budget)) for place, budget in enumerate(budgets))
    return PortfolioProblem(models=models, accounts=accounts, **options)


def random_problem(seed: int) -> PortfolioProblem:
    """Two to five models, one to three variants, one to three accounts, one to twelve draws, whole numbers."""
    draw = np.random.default_rng(seed)
    models, accounts, draws = draw.integers(2, 6), draw.integers(1, 4), draw.integers(1, 13)
    values, uses = [], []
    for _ in range(models):
        variants = draw.integers(1, 4)
        values.append(draw.integers(-5, 30, variants).tolist())
        used = draw.integers(0, 20, (variants, accounts, draws))
        uses.append((used * (draw.random((variants, accounts, 1)) < 0.7)).tolist())
    budgets = draw.integers(0, 12 * models, accounts).tolist()
    over = float(draw.choice([0.0, 0.1, 0.2, 0.5]))
    return problem(values, uses, budgets, over_at_most=over, jointly=bool(draw.random() < 0.3))


def tried(given: PortfolioProblem) -> float | None:
    """The best value by trying every choice; None if none holds."""
    best = None
    for picks in itertools.product(*(range(len(model.variants)) for model in given.models)):
        chosen = [model.variants[pick] for model, pick in zip(given.models, picks, strict=True)]
        nothing = np.zeros(given.draws)
        used = [sum((each.uses.get(account.name, nothing) for each in chosen), nothing) for account in given.accounts]
        over = np.array([use > account.budget for use, account in zip(used, given.accounts, strict=True)])
        counts = [over.any(axis=0).sum()] if given.jointly else over.sum(axis=1)
        if max(counts) <= given.over_max:
            value = float(sum(variant.value.mean() for variant in chosen))
            best = value if best is None else max(best, value)
    return best


def portfolio_document() -> dict[str, object]:
    """Two models of a team under a budget of money and one of GPU hours; in 10 draws."""
    money, hours = "search USD", "search GPU h"
    return {
        "schema": "weighbridge.portfolio/1",
        "over_at_most": 0.1,
        "accounts": [
            {"name": money, "budget": 9_000},
            {"name": hours, "unit": "GPU h", "budget": 120, "usd_per_unit": 2},
        ],
        "models": [
            {
                "name": "search/ranker",
                "variants": [
                    {
                        "name": "as asked",
                        "value": [4_000] * 9 + [5_000],
                        "uses": {money: [4_000 + 100 * draw for draw in range(10)], hours: 80},
                    },
                    {"name": "INT8", "value": 3_500, "uses": {money: 2_500, hours: 40}},
                    {"name": "wait", "value": 0},
                ],
            },
            {
                "name": "search/bidder",
                "variants": [
                    {"name": "as asked", "value": 9_000, "uses": {money: 6_000, hours: 60}},
                    {"name": "wait", "value": 0},
                ],
            },
        ],
    }


def portfolio_file(path: Path) -> None:
    """The document as a file."""
    path.write_text(json.dumps(portfolio_document()))
