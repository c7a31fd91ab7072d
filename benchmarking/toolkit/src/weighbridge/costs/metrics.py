"""Metrics of a projection, by the names that the metric catalog and policies use."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from weighbridge.costs.uncertainty import Draws, levels_of


@dataclasses.dataclass(frozen=True)
class CostMetric:
    """The unit, decimal places and meaning of a metric."""

    unit: str
    places: int
    meaning: str


METRICS: Final[Mapping[str, CostMetric]] = {
    "training_gpu_hours": CostMetric("gpu_h", 2, "GPU hours of training, including trials and failed runs."),
    "training_cost_usd": CostMetric("USD", 2, "One training: compute, storage, labeling, people."),
    "inference_cost_1y_usd": CostMetric("USD", 2, "One year of serving under the load curve."),
    "upkeep_1y_usd": CostMetric("USD", 2, "One year of monitoring, people, retraining, traffic, licenses, audit."),
    "total_cost_1y_usd": CostMetric("USD", 2, "Training, one year of serving and one year of upkeep."),
    "cost_per_1k_usd": CostMetric("USD", 6, "1,000 inferences, serving only."),
    "cost_per_1k_loaded_usd": CostMetric("USD", 6, "1,000 inferences, serving and upkeep."),
    "tco_usd": CostMetric("USD", 2, "All costs of the horizon, discounted to today, including the expected exit cost."),
    "equivalent_annual_usd": CostMetric(
        "USD", 2, "The constant yearly payment with the same present value as the TCO."
    ),
    "exit_cost_usd": CostMetric("USD", 2, "The cost of switching away, at today's prices."),
}

# Only of options that state how their answers are accepted.
ANSWER_METRICS: Final[Mapping[str, CostMetric]] = {
    "cost_per_request_usd": CostMetric("USD", 10, "One request, serving only."),
    "cost_per_m_output_tokens_usd": CostMetric("USD", 6, "A million output tokens, all serving divided by them."),
    "cost_per_accepted_usd": CostMetric(
        "USD", 10, "One accepted answer: its tries and checks, people after the last try, and wrong answers accepted."
    ),
}


def money(usd: float, places: int = 2) -> str | None:
    """Return an amount as decimal text, rounded half to even; None if it is infinite (the load cannot be served)."""
    if not math.isfinite(usd):
        return None
    return f"{Decimal(repr(float(usd))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"


def money_levels(usd: Draws | float, places: int = 2) -> dict[str, str | None]:
    """Return P10, P50, P80 and P90 of an amount as decimal text."""
    return {level: money(value, places) for level, value in levels_of(usd).items()}


def exact_sum(amounts: Sequence[str | None]) -> str | None:
    """Return the exact sum of amounts in decimal text; None if one of them is infinite."""
    known = [Decimal(amount) for amount in amounts if amount is not None]
    return f"{sum(known, Decimal('0.00')):f}" if len(known) == len(amounts) else None
