"""The program with one binary for each draw that may exceed a budget: sample average approximation.

    max  sum value x
    s.t. sum over the variants of a model x = 1
         sum uses[s, a] x - constant[s, a] z[s, a] <= budget[a]
         sum over s z[s, a] <= the number of draws that may exceed

The constants are as small as the draws allow. If draw s exceeds the budget although K other draws do too, at least one
of any K + 1 draws t holds; then the excess of s is at most the (K+1)-th smallest over t of max (uses[s] - uses[t]) x.
A constant of 0 means that the draw can never exceed: its binary falls away (Qiu, Ahmed, Dey and Wolsey, 2014).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.tradeoff.portfolio.parts import Picks, PortfolioPart
from weighbridge.tradeoff.portfolio.problem import Draws
from weighbridge.tradeoff.portfolio.search import NEVER, TINY, choose_rows, is_over

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NODES_MAX, INFEASIBLE = 20_000, 2
COMPARED_MAX = 100_000_000
"""Above so many comparisons, constants come from the plain sum: they would take longer than they help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The rows of the program. Columns are the variants of the models, then the binaries of the draws."""

    objective: Draws
    scale: float
    rows: "csr_array"
    limits: Draws
    choose: "csr_array"

    @property
    def columns(self) -> int:
        """The number of columns."""
        return len(self.objective)


def program_of(part: PortfolioPart, *, ends_at: float = NEVER) -> Program:
    """The program of a part with at least one account. Once the time has ended, constants are the plain ones."""
    from scipy.sparse import csr_array, hstack, vstack

    draws, accounts = part.uses.shape[:2]
    columns, binaries = part.value.size, draws * (1 if part.jointly else accounts)
    sizes = part.sizes
    blocks = []
    for place in range(accounts):
        uses = csr_array(part.uses[:, place].reshape(draws, columns) / sizes[place])
        at = np.arange(draws) + (0 if part.jointly else place * draws)
        constants = -excess_max(part, place, ends_at=ends_at) / sizes[place]
        blocks.append(hstack([uses, csr_array((constants, (np.arange(draws), at)), shape=(draws, binaries))]))
    counted = np.repeat(np.arange(binaries // draws), draws)
    at_binaries = (counted, columns + np.arange(binaries))
    count = csr_array((np.ones(binaries), at_binaries), shape=(binaries // draws, columns + binaries))
    scale = max(float(np.abs(part.value).max()), TINY)
    return Program(
        objective=np.concatenate([-part.value.ravel() / scale, np.zeros(binaries)]),
        scale=scale,
        rows=csr_array(vstack([*blocks, count])),
        limits=np.concatenate([np.repeat(part.budgets / sizes, draws), np.full(binaries // draws, part.over_max)]),
        choose=csr_array(hstack([choose_rows(part), csr_array((len(part.value), binaries))])),
    )


def excess_max(part: PortfolioPart, place: int, *, ends_at: float = NEVER) -> Draws:
    """(draws,): the most by which a choice that holds can exceed the account in each draw."""
    uses = part.uses[:, place]
    plain = uses.max(axis=2).sum(axis=1) - part.budgets[place]
    rank = part.over_max
    if rank >= len(uses) or len(uses) * uses.size > COMPARED_MAX or is_over(ends_at):
        unranked: Draws = np.maximum(plain, 0)
        return unranked
    apart = np.empty(len(uses))
    for draw, own in enumerate(uses):
        differences = (own[None] - uses).max(axis=2).sum(axis=1)
        apart[draw] = np.partition(differences, rank)[rank]
    excess: Draws = np.maximum(np.minimum(plain, apart), 0)
    return excess


def solve_program(part: PortfolioPart, program: Program, *, seconds: float) -> tuple[Picks | None, float]:
    """The best choice that was found within the time, or None, and the proven bound of its value."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    solved = milp(
        program.objective,
        constraints=[
            LinearConstraint(program.rows, -np.inf, program.limits),
            LinearConstraint(program.choose, 1, 1),
        ],
        integrality=np.ones(program.columns),
        bounds=Bounds(0, 1),
        options={"time_limit": seconds, "mip_rel_gap": 0.0, "node_limit": NODES_MAX},
    )
    bound = float("inf") if solved.mip_dual_bound is None else float(-solved.mip_dual_bound * program.scale)
    if solved.status == INFEASIBLE:
        bound = -float("inf")
    if solved.x is None:
        return None, bound
    picks = solved.x[: part.value.size].reshape(part.value.shape).argmax(axis=1)
    return (picks, bound) if part.holds_with(picks) else (None, bound)
