"""The Pareto frontier of the models of a portfolio."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from reviews.quarterly.domain.packet import PortfolioPoint
from weighbridge.tradeoff.pareto import non_dominated


def frontier(points: Sequence[PortfolioPoint]) -> frozenset[str]:
    """The Pareto frontier: models for which no other is at least as good in cost, latency and value and better in one.

    Only models with all three values are compared.
    """
    values = [(each.model, each.cost_usd, each.latency_ms, each.value) for each in points]
    complete = [(m, (c, lat, -v)) for m, c, lat, v in values if c is not None and lat is not None and v is not None]
    places = [_places([value[axis] for _, value in complete]) for axis in range(3)]
    is_best = non_dominated(np.array(places, dtype=np.float64).T)
    return frozenset(model for (model, _), is_on in zip(complete, is_best, strict=True) if is_on)


def _places(values: Sequence[Decimal]) -> list[int]:
    """The place of each value among the distinct ones, which compares as exactly as the values do."""
    place = {value: number for number, value in enumerate(sorted(set(values)))}
    return [place[value] for value in values]
