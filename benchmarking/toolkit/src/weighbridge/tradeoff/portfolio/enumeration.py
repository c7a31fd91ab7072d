"""Small parts are solved by trying every combination."""

import numpy as np

from weighbridge.tradeoff.portfolio.parts import Picks, PortfolioPart

CELLS_MAX = 6_000_000
SAME_VALUE = 1e-12


def may_enumerate(part: PortfolioPart, *, cells_max: int = CELLS_MAX) -> bool:
    """Whether all combinations with their draws fit into memory."""
    draws, accounts = part.uses.shape[:2]
    combinations = float(np.prod(part.counts.astype(float)))
    return bool(combinations * max(draws * accounts, 1) <= cells_max)


def best_by_enumeration(part: PortfolioPart) -> tuple[Picks | None, Picks]:
    """The best combination that holds (None without one), and the one with the smallest shortfall.

    Of equal ones the first in the order of the variants wins: what was asked for before what replaces it.
    """
    draws, accounts = part.uses.shape[:2]
    totals, worth = np.zeros((draws, accounts, 1)), np.zeros(1)
    for row, count in enumerate(part.counts):
        added = part.uses[:, :, row, :count]
        totals = (totals[..., None] + added[:, :, None, :]).reshape(draws, accounts, -1)
        worth = (worth[:, None] + part.value[row, None, :count]).ravel()
    holds = part.holds(totals)
    least = int(part.shortfall(totals).argmin())
    if not holds.any():
        return None, _picks(part, least)
    best = worth[holds].max()
    same = holds & (worth >= best - SAME_VALUE * max(1.0, abs(best)))
    return _picks(part, int(same.argmax())), _picks(part, least)


def _picks(part: PortfolioPart, number: int) -> Picks:
    return np.array(np.unravel_index(number, tuple(part.counts)), dtype=np.intp)
