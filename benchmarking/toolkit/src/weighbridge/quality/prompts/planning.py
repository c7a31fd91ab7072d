"""How many prompts a comparison of two models needs."""

import dataclasses
import math
from typing import Any

from weighbridge.core.errors import Invalid

SCHEMA = "weighbridge.prompts-needed/1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """The difference of pass rates to find, the share of prompts on which the models disagree, and clusters.

    `pass_rate` is that of the better model, for a comparison on different prompts. `cluster_size` prompts of a cluster
    have the correlation `icc`.
    """

    difference: float
    disagreement: float = 0.2
    pass_rate: float = 0.8
    cluster_size: float = 1.0
    icc: float = 0.0
    power: float = 0.8
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Raise Invalid for numbers out of range, and a difference that the disagreement cannot give."""
        for name in ("difference", "disagreement", "pass_rate", "power", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise Invalid(f"The {name} must be between 0 and 1.", field=name)
        if not 0 <= self.icc <= 1:
            raise Invalid("The icc must be from 0 to 1.", field="icc")
        if not 1 <= self.cluster_size <= 1e6:
            raise Invalid("The cluster size must be 1 or more.", field="cluster_size")
        if self.difference > self.disagreement:
            text = "The models must disagree on at least as many prompts as the difference, or it cannot arise."
            raise Invalid(text, field="disagreement")
        if self.difference >= self.pass_rate:
            raise Invalid("The difference must be below the pass rate.", field="difference")

    @property
    def design_effect(self) -> float:
        """The factor of clusters: 1 + (size - 1) * icc (Kish 1965)."""
        return 1 + (self.cluster_size - 1) * self.icc


def paired_prompts(plan: ComparisonPlan) -> int:
    """Return the prompts that both models answer: (z_a sqrt(q) + z_b sqrt(q - d^2))^2 / d^2.

    It is the size of McNemar's test (Miettinen 1968, Biometrics 24:339) times the design effect.
    """
    d, q = plan.difference, plan.disagreement
    sides, power = _quantiles(plan)
    needed = (sides * math.sqrt(q) + power * math.sqrt(q - d * d)) ** 2 / d**2
    return math.ceil(needed * plan.design_effect)


def unpaired_prompts(plan: ComparisonPlan) -> int:
    """Return the prompts of each model on different prompts: (z_a + z_b)^2 (p (1 - p) + r (1 - r)) / d^2, r = p - d."""
    first, second = plan.pass_rate, plan.pass_rate - plan.difference
    variance = first * (1 - first) + second * (1 - second)
    return math.ceil((sum(_quantiles(plan)) / plan.difference) ** 2 * variance * plan.design_effect)


def prompts_document(plan: ComparisonPlan) -> dict[str, Any]:
    """Return a `weighbridge.prompts-needed/1` mapping."""
    return {
        "schema": SCHEMA,
        "plan": dataclasses.asdict(plan),
        "design_effect": plan.design_effect,
        "paired": paired_prompts(plan),
        "unpaired_each": unpaired_prompts(plan),
    }


def _quantiles(plan: ComparisonPlan) -> tuple[float, float]:
    from scipy.stats import norm

    return float(norm.ppf((1 + plan.confidence) / 2)), float(norm.ppf(plan.power))
