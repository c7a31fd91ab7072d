"""A good choice for a large part: a linear relaxation, rounded, then improved by single and double changes.

The chance constraint is checked on the draws themselves at every step. The search is deterministic unless its time ends
first; then the best choice so far counts. The time is that of the processor: a busy machine makes no answer worse.
"""

import time
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.tradeoff.portfolio.parts import Picks, PortfolioPart
from weighbridge.tradeoff.portfolio.problem import Draws

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TRIES, CHANGES_MAX, DOUBLE_TRIES, ROUNDS_MAX = 12, 2_000, 40, 4
TINY, NEVER = 1e-12, float("inf")


def now() -> float:
    """The processor time of this thread in seconds: the clock of every `ends_at`."""
    return time.thread_time()


def is_over(ends_at: float) -> bool:
    """Whether the time has ended."""
    return now() >= ends_at


def limit_of(ends_at: float) -> dict[str, float]:
    """The options of a linear program that is solved in what is left of the time."""
    return {} if ends_at == NEVER else {"time_limit": max(ends_at - now(), 0.0)}


def choose_rows(part: PortfolioPart) -> "csr_array":
    """The rows that make one variant of each model be chosen: (models, models x variants)."""
    from scipy.sparse import csr_array

    models, variants = part.value.shape
    owner = np.repeat(np.arange(models), variants)
    return csr_array((np.ones(models * variants), (owner, np.arange(models * variants))))


def relaxed(part: PortfolioPart, rows: Draws, limits: Draws, ends_at: float = NEVER) -> tuple[Draws | None, float]:
    """The best fractional choice with rows @ x <= limits, as (models, variants), and its value; None without one."""
    from scipy.optimize import linprog

    models, variants = part.value.shape
    scale = max(float(np.abs(part.value).max()), TINY)
    solved = linprog(
        -part.value.ravel() / scale,
        A_ub=rows.reshape(len(rows), -1),
        b_ub=limits,
        A_eq=choose_rows(part),
        b_eq=np.ones(models),
        bounds=(0, 1),
        method="highs",
        options=limit_of(ends_at),
    )
    if solved.x is None:
        return None, -np.inf
    return solved.x.reshape(models, variants), float(-solved.fun * scale)


def good_choice(part: PortfolioPart, *, ends_at: float = NEVER) -> Picks | None:
    """A choice that holds, or None if the search found none."""
    starts = [np.zeros(len(part.value), dtype=np.intp), part.value.argmax(axis=1), *_from_means(part, ends_at)]
    leanest = least_short(part, _leanest(part), ends_at=ends_at)
    holding = [start for start in (*starts, leanest) if part.holds_with(start)]
    if not holding:
        return None
    picks = improved(part, max(holding, key=part.worth), ends_at=ends_at)
    for _ in range(ROUNDS_MAX):
        again = None if is_over(ends_at) else _under_kept_draws(part, picks, ends_at)
        if again is None or part.worth(again) <= part.worth(picks) + _least_gain(part):
            return picks
        picks = again
    return picks


def _under_kept_draws(part: PortfolioPart, picks: Picks, ends_at: float = NEVER) -> Picks | None:
    """The relaxation under the budgets of all draws that the picks keep, rounded and improved."""
    totals, keep = part.totals(picks), part.uses.shape[0] - part.over_max
    if part.jointly:
        worst = ((totals - part.budgets) / np.maximum(part.budgets, 1.0)).max(axis=1)
        kept = [np.argsort(worst, kind="stable")[:keep]] * totals.shape[1]
    else:
        kept = [np.argsort(column, kind="stable")[:keep] for column in totals.T]
    scale = part.sizes
    rows = np.concatenate([part.uses[draws, place] / scale[place] for place, draws in enumerate(kept)])
    share, _ = relaxed(part, rows, np.repeat(part.budgets / scale, keep), ends_at)
    if share is None:
        return None
    rounded = np.where(share.max(axis=1) > 1 - 1e-6, share.argmax(axis=1), _leanest(part))
    return improved(part, rounded, ends_at=ends_at) if part.holds_with(rounded) else None


def _leanest(part: PortfolioPart) -> Picks:
    scale = part.sizes[:, None, None]
    picks: Picks = (part.uses.mean(axis=0) / scale).sum(axis=0).argmin(axis=1)
    return picks


def _from_means(part: PortfolioPart, ends_at: float) -> list[Picks]:
    """Rounded relaxations. The factor between the ranked use and the mean use is learned from the choice before."""
    means, leanest = part.uses.mean(axis=0), _leanest(part)
    scale = part.sizes
    factor, found = np.full(len(part.budgets), 1.1), []
    for _ in range(TRIES):
        if is_over(ends_at):
            break
        share, _ = relaxed(part, means * (factor / scale)[:, None, None], part.budgets / scale, ends_at)
        if share is None:
            factor = factor * 0.9
            continue
        picks = np.where(share.max(axis=1) > 1 - 1e-6, share.argmax(axis=1), leanest)
        found.append(picks)
        totals = part.totals(picks)
        factor = np.maximum(part.needed(totals) / np.maximum(totals.mean(axis=0), TINY), TINY) * 1.0005
    return found


def improved(part: PortfolioPart, picks: Picks, *, ends_at: float = NEVER) -> Picks:
    """Change one model, or two, as long as the value grows and the constraint holds."""
    picks = picks.copy()
    for _ in range(CHANGES_MAX):
        if is_over(ends_at):
            return picks
        change = _single(part, picks) or _double(part, picks, ends_at)
        if change is None:
            return picks
        for model, variant in change:
            picks[model] = variant
    return picks


def _gains(part: PortfolioPart, picks: Picks) -> Draws:
    gains: Draws = part.value - part.value[np.arange(len(picks)), picks][:, None]
    return gains


def _moved(part: PortfolioPart, picks: Picks, models: Picks, variants: Picks, totals: Draws) -> Draws:
    """The totals after each change: (draws, accounts, changes)."""
    moved: Draws = totals[..., None] + part.uses[:, :, models, variants] - part.uses[:, :, models, picks[models]]
    return moved


def _single(part: PortfolioPart, picks: Picks) -> list[tuple[int, int]] | None:
    gains = _gains(part, picks)
    models, variants = np.nonzero(gains > _least_gain(part))
    if not len(models):
        return None
    holds = part.holds(_moved(part, picks, models, variants, part.totals(picks)))
    if not holds.any():
        return None
    best = int(np.where(holds, gains[models, variants], -np.inf).argmax())
    return [(int(models[best]), int(variants[best]))]


def _double(part: PortfolioPart, picks: Picks, ends_at: float) -> list[tuple[int, int]] | None:
    """Raise one model and lower another."""
    gains, least = _gains(part, picks), _least_gain(part)
    up = np.argwhere(gains > least)
    order = np.argsort(-gains[up[:, 0], up[:, 1]], kind="stable")[:DOUBLE_TRIES]
    totals = part.totals(picks)
    for model, variant in up[order]:
        if is_over(ends_at):
            return None
        raised = _moved(part, picks, np.array([model]), np.array([variant]), totals)[..., 0]
        lower = gains + gains[model, variant] > least
        lower &= gains <= 0
        lower[model] = False
        lower[np.arange(len(picks)), picks] = False
        models, variants = np.nonzero(lower)
        if not len(models):
            continue
        holds = part.holds(_moved(part, picks, models, variants, raised))
        if holds.any():
            best = int(np.where(holds, gains[models, variants], -np.inf).argmax())
            return [(int(model), int(variant)), (int(models[best]), int(variants[best]))]
    return None


def _least_gain(part: PortfolioPart) -> float:
    return TINY * max(1.0, float(np.abs(part.value).sum()))


def least_short(part: PortfolioPart, picks: Picks, *, ends_at: float = NEVER) -> Picks:
    """Change single models as long as the shortfall shrinks."""
    picks = picks.copy()
    for _ in range(CHANGES_MAX):
        totals = part.totals(picks)
        now = float(part.shortfall(totals[..., None])[0])
        if now <= 0 or is_over(ends_at):
            return picks
        models, variants = np.indices(part.value.shape).reshape(2, -1)
        short = part.shortfall(_moved(part, picks, models, variants, totals))
        best = int(short.argmin())
        if short[best] >= now * (1 - 1e-9):
            return picks
        picks[models[best]] = variants[best]
    return picks
