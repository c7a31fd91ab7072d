"""Solve a portfolio: part by part, exactly where a part is small, else by search with a proven bound."""

from dataclasses import dataclass

import numpy as np

from weighbridge.tradeoff.portfolio.bounds import free_bound, gap_of, upper_bound
from weighbridge.tradeoff.portfolio.enumeration import CELLS_MAX, best_by_enumeration, may_enumerate
from weighbridge.tradeoff.portfolio.parts import Picks, PortfolioPart, parts_of
from weighbridge.tradeoff.portfolio.problem import Draws, PortfolioProblem
from weighbridge.tradeoff.portfolio.program import program_of, solve_program
from weighbridge.tradeoff.portfolio.search import good_choice, improved, is_over, least_short, now

SECONDS = 6.0
SEARCHING = 0.5
"""The share of the time for the search of a large part, if its bounds are sought too; the rest is for these."""
QUICK_CELLS = 200_000
"""A part with so few combinations takes milliseconds: it is enumerated even if the time has ended."""
PROGRAM_COLUMNS_MAX = 600
PROVEN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A choice for each model; `holds` says whether the budgets hold. `bound` is the most that any choice can have.

    If no choice holds, the picks are those that need the smallest growth of the budgets that was found.
    """

    picks: Picks
    holds: bool
    value: float
    bound: float
    is_proven: bool

    @property
    def gap(self) -> float:
        """The distance from the bound as a share of it; 0 is proven to be the best."""
        return gap_of(self.value, self.bound)


def solve(
    problem: PortfolioProblem,
    *,
    budgets: Draws | None = None,
    seconds: float = SECONDS,
    cells_max: int = CELLS_MAX,
    start: Picks | None = None,
    proves: bool = True,
) -> Solved:
    """Choose a variant of each model. `budgets` replaces those of the accounts; `start` is a choice that holds.

    The answer is the same for the same input, unless the time ends the search first. Without `proves`, no bounds of
    large parts are sought.
    """
    ends_at = now() + seconds
    parts = parts_of(problem, budgets=budgets)
    picks = np.zeros(len(problem.models), dtype=np.intp)
    holds, is_proven, value, bound = True, True, 0.0, 0.0
    large = sum(len(part.models) for part in parts if not may_enumerate(part, cells_max=cells_max))
    for part in sorted(parts, key=lambda part: not may_enumerate(part, cells_max=cells_max)):
        begun, own = None if start is None else start[list(part.models)], ends_at
        if not may_enumerate(part, cells_max=cells_max):
            share, large = len(part.models) / large, large - len(part.models)
            own = now() + (ends_at - now()) * share
        found = _solve_part(part, own, cells_max, begun, proves=proves)
        picks[list(part.models)] = found.picks
        holds, is_proven = holds and found.holds, is_proven and found.is_proven
        value, bound = value + found.value, bound + found.bound
    return Solved(
        picks=picks, holds=holds, value=value, bound=max(bound, value) if holds else bound, is_proven=is_proven
    )


def _solve_part(part: PortfolioPart, ends_at: float, cells_max: int, start: Picks | None, *, proves: bool) -> Solved:
    if not part.accounts:
        return _proven(part, part.value.argmax(axis=1))
    cells_now = min(cells_max, QUICK_CELLS) if is_over(ends_at) else cells_max
    if may_enumerate(part, cells_max=cells_now):
        best, least = best_by_enumeration(part)
        return _proven(part, best) if best is not None else _short(part, least, is_proven=True)
    return _solve_large(part, ends_at, start, proves=proves)


def _solve_large(part: PortfolioPart, ends_at: float, start: Picks | None, *, proves: bool) -> Solved:
    """Search first; then bounds; then, if the part is not too large, the exact program in the remaining time."""
    searched_at = now() + (ends_at - now()) * (SEARCHING if proves else 1)
    begun = None if start is None else improved(part, start, ends_at=searched_at)
    found = _better(part, begun, good_choice(part, ends_at=searched_at))
    bound = free_bound(part)
    if proves and not is_over(ends_at):
        found, bound = _proof(part, found, ends_at)
    if found is None:
        least = least_short(part, np.zeros(len(part.value), dtype=np.intp), ends_at=ends_at)
        return _short(part, least, is_proven=bound == -np.inf)
    value = part.worth(found)
    bound = max(bound, value)
    return Solved(picks=found, holds=True, value=value, bound=bound, is_proven=gap_of(value, bound) <= PROVEN)


def _proof(part: PortfolioPart, found: Picks | None, ends_at: float) -> tuple[Picks | None, float]:
    """The choice, better if the exact program found a better one, and the smallest bound."""
    program = program_of(part, ends_at=ends_at)
    bound = upper_bound(part, program, ends_at=ends_at)
    is_open = found is None or gap_of(part.worth(found), bound) > PROVEN
    left_s = ends_at - now()
    if is_open and program.columns <= PROGRAM_COLUMNS_MAX and left_s > 0 and bound > -np.inf:
        exact, proven = solve_program(part, program, seconds=left_s)
        bound = min(bound, proven)
        found = _better(part, found, improved(part, exact, ends_at=ends_at) if exact is not None else None)
    return found, bound


def _better(part: PortfolioPart, one: Picks | None, other: Picks | None) -> Picks | None:
    if one is None or other is None:
        return one if other is None else other
    return other if part.worth(other) > part.worth(one) else one


def _proven(part: PortfolioPart, picks: Picks) -> Solved:
    value = part.worth(picks)
    return Solved(picks=picks, holds=True, value=value, bound=value, is_proven=True)


def _short(part: PortfolioPart, picks: Picks, *, is_proven: bool) -> Solved:
    value = part.worth(picks)
    return Solved(picks=picks, holds=False, value=value, bound=value, is_proven=is_proven)
