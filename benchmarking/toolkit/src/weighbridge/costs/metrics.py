"""Metrics: what a projection says of an option, by the names that metrics and policies use."""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final


@dataclasses.dataclass(frozen=True)
class CostMetric:
    """A metric's unit, the digits behind its point, and what it means."""

    unit: str
    places: int
    meaning: str


METRICS: Final[Mapping[str, CostMetric]] = {
    "training_gpu_hours": CostMetric("gpu_h", 2, "GPU hours of training, trials and failed runs included."),
    "training_cost_usd": CostMetric("USD", 2, "Training once: compute, storage, labeling, people."),
    "inference_cost_1y_usd": CostMetric("USD", 2, "One year of serving under the load curve."),
    "upkeep_1y_usd": CostMetric("USD", 2, "One year of monitoring, people, retraining, traffic, licenses, audit."),
    "total_cost_1y_usd": CostMetric("USD", 2, "Training, one year of serving and one year of upkeep."),
    "cost_per_1k_usd": CostMetric("USD", 6, "1,000 inferences, serving alone."),
    "cost_per_1k_loaded_usd": CostMetric("USD", 6, "1,000 inferences, serving and upkeep."),
    "tco_usd": CostMetric("USD", 2, "All costs of the years, discounted to today, expected exit included."),
    "equivalent_annual_usd": CostMetric("USD", 2, "The even yearly payment with the same present value as the TCO."),
    "exit_cost_usd": CostMetric("USD", 2, "What leaving costs, at today's prices."),
}


def money(usd: float, places: int = 2) -> str | None:
    """Return an amount as decimal text, rounded half to even; None for what has no end, as a load that
    nothing serves.
    """
    if usd != usd or usd in (float("inf"), float("-inf")):
        return None
    return f"{Decimal(repr(float(usd))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"


def exact_sum(amounts: Sequence[str | None]) -> str | None:
    """Return the sum of amounts in decimal text, exactly; None where one of them has no end."""
    known = [Decimal(amount) for amount in amounts if amount is not None]
    return f"{sum(known, Decimal('0.00')):f}" if len(known) == len(amounts) else None
