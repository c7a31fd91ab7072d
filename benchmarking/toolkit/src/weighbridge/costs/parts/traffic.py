"""Traffic out: what moving gigabytes costs at prices that fall in tiers, as clouds charge it by the month."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrafficTier:
    """Gigabytes above those of the tier before, up to `up_to_gb`, at `usd_per_gb`; the last tier has no end."""

    usd_per_gb: float
    up_to_gb: float | None = None


def check_traffic(gigabytes: Any, tiers: Sequence[TrafficTier]) -> None:
    """Raise Invalid unless prices are no debts, ends rise, only the last tier has none, and gigabytes have tiers."""
    ends = [tier.up_to_gb for tier in tiers]
    bounded = [end for end in ends[:-1] if end is not None]
    is_open_at_the_end = not ends or ends[-1] is None
    if len(bounded) < len(ends) - 1 or not is_open_at_the_end or any(tier.usd_per_gb < 0 for tier in tiers):
        text = "Tiers name up_to_gb each but the last, and no price is below zero."
        raise Invalid(text, field="egress_tiers")
    if any(later <= earlier for earlier, later in zip([0.0, *bounded], bounded, strict=False)):
        raise Invalid("The ends of tiers rise from above zero.", field="egress_tiers")
    if not tiers and not (isinstance(gigabytes, int | float) and gigabytes == 0):
        raise Invalid("Moving data out needs the tiers of its price.", field="egress_tiers")


def tiered_usd(gigabytes: Number, tiers: Sequence[TrafficTier]) -> Number:
    """Return the price of moving `gigabytes`: those within each tier at its price."""
    total: Number = 0.0
    start = 0.0
    for tier in tiers:
        end = np.inf if tier.up_to_gb is None else tier.up_to_gb
        total = total + np.clip(gigabytes - start, 0.0, end - start) * tier.usd_per_gb
        start = end
    return total
