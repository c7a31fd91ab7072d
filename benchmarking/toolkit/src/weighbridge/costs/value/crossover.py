"""Crossover: the volume above which, and the month from which, one option is cheaper than another, as probabilities.

Each draw is evaluated separately: with the same draws of all inputs, at volumes from 1/16 to 16 times.
"""

import dataclasses
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from weighbridge.costs.parts.options import CostSpec
from weighbridge.costs.parts.ownership import cost_by_month
from weighbridge.costs.projection import Drawn, at, draw_option
from weighbridge.costs.spec.inputs import tiled
from weighbridge.costs.uncertainty import Draws, levels_of

SCALES = np.geomspace(1 / 16, 16.0, 17)
DRAWS_AT_EACH = 200
METRIC = "equivalent_annual_usd"


@dataclasses.dataclass(frozen=True)
class Crossing:
    """The first option compared with the second. Volumes are requests per year; months count from the start of year 1.

    `cheaper_at` is the probability at each volume of the grid. `volume` and `month` are quantiles over the draws that
    have a crossing; `volume_probability` and `month_probability` are the shares of those draws.
    """

    first: str
    second: str
    cheaper_at: tuple[float, ...]
    volume: Mapping[str, float] | None
    volume_probability: float
    month: Mapping[str, float] | None
    month_probability: float


@dataclasses.dataclass(frozen=True)
class Crossover:
    """The yearly cost of each option by volume, as quantiles, and all pairs of options."""

    volumes: tuple[float, ...]
    costs: Mapping[str, tuple[Mapping[str, float], ...]]
    pairs: tuple[Crossing, ...]


def crossover(spec: CostSpec, *, seed: int, draws: int = DRAWS_AT_EACH) -> Crossover:
    """Return the crossings of the options, from `draws` draws at each of 17 volumes."""
    volumes = SCALES * spec.requests_median
    found = {
        option.id: _over_volume(spec, draw_option(spec, option, seed=seed, n=draws), draws) for option in spec.options
    }
    pairs = tuple(_crossing(first, second, found, volumes) for first, second in combinations(found, 2))
    costs = {name: tuple(levels_of(costs) for costs in over.T) for name, (over, _) in found.items()}
    return Crossover(tuple(map(float, volumes)), costs, pairs)


def _over_volume(spec: CostSpec, drawn: Drawn, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the yearly cost (draws, volumes), and its present value by month at the actual volume (draws, months)."""
    many = len(SCALES)
    shared, option = tiled(drawn.shared, many), tiled(drawn.option, many)
    requests = shared.requests_per_year * np.repeat(SCALES, n)
    found = at(spec, Drawn(dataclasses.replace(shared, requests_per_year=requests), option))
    costs = np.broadcast_to(found.metrics[METRIC], n * many).reshape(many, n).T
    months = cost_by_month(at(spec, drawn).ownership)
    return costs, np.broadcast_to(months, (n, months.shape[-1]))


def _crossing(
    first: str,
    second: str,
    found: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    volumes: NDArray[np.float64],
) -> Crossing:
    (costs, spent), (others, spent_else) = found[first], found[second]
    at_volume = _last_crossings(costs, others, volumes)
    months = _first_months(spent, spent_else)
    return Crossing(
        first,
        second,
        tuple(map(float, (costs < others).mean(axis=0))),
        levels_of(at_volume) if len(at_volume) else None,
        len(at_volume) / len(costs),
        levels_of(months) if len(months) else None,
        len(months) / len(costs),
    )


def _last_crossings(costs: NDArray[np.float64], others: NDArray[np.float64], volumes: NDArray[np.float64]) -> Draws:
    """Return, for draws that cross, the volume above which the order no longer changes; interpolated geometrically."""
    ahead = costs < others
    changes = ahead[:, 1:] != ahead[:, :-1]
    rows = np.flatnonzero(changes.any(axis=1))
    last = changes.shape[1] - 1 - np.argmax(changes[rows, ::-1], axis=1)
    # If neither can be served, the difference is NaN; the crossing is then assumed in the middle.
    with np.errstate(invalid="ignore"):
        apart = others - costs
        gap, next_gap = apart[rows, last], apart[rows, last + 1]
        share = np.where(np.isfinite(gap) & np.isfinite(next_gap), gap / (gap - next_gap), 0.5)
    return np.asarray(volumes[last] * (volumes[last + 1] / volumes[last]) ** share)


def _first_months(spent: NDArray[np.float64], others: NDArray[np.float64]) -> Draws:
    """Return the first month in which the first option has cost less, for draws that have one."""
    ahead = spent < others
    return np.asarray(np.argmax(ahead[ahead.any(axis=1)], axis=1) + 1.0)
