"""Two hundred models of four variants in 200 draws: a choice, what binds, and a proven gap in less than ten seconds."""

import time

import numpy as np

from tests.performance.recorder import Recorder
from weighbridge.tradeoff.portfolio.outcome import optimized
from weighbridge.tradeoff.portfolio.problem import BudgetLimit, PortfolioModel, PortfolioProblem, PortfolioVariant

MODELS, VARIANTS, DRAWS, LIMIT_S, GAP_MAX = 200, ("as asked", "smaller", "INT8", "retire"), 200, 10.0, 5.0
SHARES, WORTH = (1.0, 0.6, 0.4, 0.0), (1.5, 1.2, 0.9, 0.0)


def large_problem(accounts: int) -> PortfolioProblem:
    """Costs that vary by 40 % for each model and 20 % together, under budgets of 60 % of what is asked."""
    draw = np.random.default_rng(0)
    size, together = draw.lognormal(8, 1, MODELS), np.exp(0.2 * draw.standard_normal(DRAWS))
    models, asked = [], np.zeros((accounts, DRAWS))
    for row in range(MODELS):
        cost = size[row] * np.exp(0.4 * draw.standard_normal(DRAWS)) * together
        place, worth = int(draw.integers(accounts)), size[row] * draw.uniform(0.5, 1.5)
        asked[place] += cost
        variants = tuple(
            PortfolioVariant(name=name, value=np.full(DRAWS, worth * value), uses={f"account {place}": cost * share})
            for name, share, value in zip(VARIANTS, SHARES, WORTH, strict=True)
        )
        models.append(PortfolioModel(name=f"model {row}", variants=variants))
    limits = tuple(
        BudgetLimit(name=f"account {place}", budget=float(0.6 * used.mean())) for place, used in enumerate(asked)
    )
    return PortfolioProblem(models=tuple(models), accounts=limits)


def test_two_hundred_models(keep: Recorder) -> None:
    for accounts in (1, 12):
        given = large_problem(accounts)
        begun = time.thread_time()
        outcome = optimized(given)
        taken_s = time.thread_time() - begun
        what = f"{MODELS} models, 4 variants, {DRAWS} draws, {accounts} accounts"
        gap = outcome.gap * 100
        assert outcome.holds
        timed = keep(
            f"portfolio.accounts_{accounts}_s",
            taken_s,
            "s of processor time",
            at_most=LIMIT_S,
            title=f"Choice of {what}",
        )
        proven = keep(f"portfolio.accounts_{accounts}_gap", gap, "%", at_most=GAP_MAX, title=f"Proven gap of {what}")
        assert (timed.is_held, proven.is_held) == (True, True)
