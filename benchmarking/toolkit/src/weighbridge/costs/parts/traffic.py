"""Outbound traffic: the cost of gigabytes at tiered prices, as clouds charge it per month."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrafficTier:
    """Gigabytes above the previous tier, up to `up_to_gb`, at `usd_per_gb`; the last tier is unlimited."""

    usd_per_gb: float
    up_to_gb: float | None = None


def check_traffic(gigabytes: Any, tiers: Sequence[TrafficTier]) -> None:
    """Raise Invalid for gigabytes without tiers, negative prices, and limits that do not increase up to no limit."""
    ends = [tier.up_to_gb for tier in tiers]
    bounded = [end for end in ends[:-1] if end is not None]
    is_open_at_the_end = not ends or ends[-1] is None
    if len(bounded) < len(ends) - 1 or not is_open_at_the_end or any(tier.usd_per_gb < 0 for tier in tiers):
        text = "Every tier except the last needs up_to_gb, and no price may be below zero."
        raise Invalid(text, field="egress_tiers")
    if any(later <= earlier for earlier, later in zip([0.0, *bounded], bounded, strict=False)):
        raise Invalid("The limits of tiers must increase and be above zero.", field="egress_tiers")
    if not tiers and not (isinstance(gigabytes, int | float) and gigabytes == 0):
        raise Invalid("Outbound data needs price tiers.", field="egress_tiers")


def tiered_usd(gigabytes: Number, tiers: Sequence[TrafficTier]) -> Number:
    """Return the price of `gigabytes`, each at the price of its tier."""
    total: Number = 0.0
    start = 0.0
    for tier in tiers:
        end = np.inf if tier.up_to_gb is None else tier.up_to_gb
        total = total + np.clip(gigabytes - start, 0.0, end - start) * tier.usd_per_gb
        start = end
    return total
