"""Accelerators by which GPU hours are stated: what an hour of one is worth in hours of an H100.

The peaks are those of the vendors' data sheets for dense matrix products in BF16 (FP16 on T4 and V100, which lack it),
the watts are the board power of the SXM or OAM form where a card has several forms.
"""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

SLICES = 7
"""The compute slices into which Multi-Instance GPU divides a card."""
_DIGITS = Decimal("0.001")


@dataclass(frozen=True)
class Accelerator:
    """A kind of card: dense peak in TFLOP/s, board power in watts, memory in GB; `has_slices` if MIG divides it."""

    name: str
    label: str
    tflops: Decimal
    watts: int
    memory_gb: int
    has_slices: bool = False

    @property
    def h100_hours(self) -> Decimal:
        """The hours of an H100 that one hour is worth, by peak, to three digits."""
        return (self.tflops / _H100_TFLOPS).quantize(_DIGITS)


_H100_TFLOPS = Decimal("989.4")
ACCELERATORS = (
    Accelerator("t4", "T4", Decimal(65), 70, 16),
    Accelerator("v100", "V100", Decimal(125), 300, 32),
    Accelerator("a10g", "A10G", Decimal(70), 300, 24),
    Accelerator("l4", "L4", Decimal(121), 72, 24),
    Accelerator("l40s", "L40S", Decimal("362.05"), 350, 48),
    Accelerator("a100", "A100", Decimal(312), 400, 80, has_slices=True),
    Accelerator("h100", "H100", _H100_TFLOPS, 700, 80, has_slices=True),
    Accelerator("h200", "H200", _H100_TFLOPS, 700, 141, has_slices=True),
    Accelerator("b200", "B200", Decimal(2250), 1000, 180),
    Accelerator("mi300x", "MI300X", Decimal("1307.4"), 750, 192),
)


def slice_share() -> Decimal:
    """The share of a card that one slice is, rounded up so that all slices are no less than the card."""
    return (1 / Decimal(SLICES)).quantize(_DIGITS, rounding=ROUND_UP)
