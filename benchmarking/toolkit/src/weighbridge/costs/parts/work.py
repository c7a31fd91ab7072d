"""Work: the GPU hours of one training run, and the hourly cost of owned hardware.

The inputs may be ranges; `gpu_hours` and `usd_per_gpu_h` need numbers or draws. Sources: 6·N·D from EleutherAI's
"Transformer Math 101"; chip hours and owned hardware from Epoch's training-cost estimates.
"""

import dataclasses
import math

from weighbridge.costs.lines import Number
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, SECONDS_PER_HOUR
from weighbridge.costs.uncertainty import Amount, Range, Share, check_amounts, check_positive, check_share

# Model FLOPs utilization is not known in advance, so it is a range, not a point.
UTILIZATION = Range(0.25, 0.50)


class _OnDevices:
    """Work on devices of `peak_flops_per_s`, of which the share `utilization` is used."""

    peak_flops_per_s: Amount
    utilization: Share

    def __post_init__(self) -> None:
        """Validate the amounts; devices need a positive speed."""
        check_amounts(self)
        check_positive(self, "peak_flops_per_s", "utilization")

    def _hours_of(self, flops: Number) -> Number:
        return flops / (self.peak_flops_per_s * self.utilization) / SECONDS_PER_HOUR


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transformer(_OnDevices):
    """A dense transformer: 6·N·D operations on devices of `peak_flops_per_s` at the share `utilization`."""

    parameters: Amount
    tokens: Amount
    peak_flops_per_s: Amount
    utilization: Share = UTILIZATION

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run; for a mixture of experts, `parameters` are the active ones."""
        return self._hours_of(6 * self.parameters * self.tokens)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network(_OnDevices):
    """Any network with a known number of forward FLOPs: 3 · `forward_flops` · samples · epochs; a multiply-add counts
    as two.
    """

    forward_flops: Amount
    samples: Amount
    epochs: Amount
    peak_flops_per_s: Amount
    utilization: Share = UTILIZATION

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        return self._hours_of(3 * self.forward_flops * self.samples * self.epochs)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pilot:
    """A pilot run with `samples_per_gpu_s` measured on one GPU."""

    samples: Amount
    epochs: Amount
    samples_per_gpu_s: Amount

    def __post_init__(self) -> None:
        """Validate the amounts; the pilot needs a positive rate."""
        check_amounts(self)
        check_positive(self, "samples_per_gpu_s")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        return self.samples * self.epochs / self.samples_per_gpu_s / SECONDS_PER_HOUR


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnedHardware:
    """Owned GPUs: their initial value, depreciation and energy (`power_kw` includes a share of the server)."""

    value_at_start_usd: Amount
    power_kw: Amount
    usd_per_kwh: Amount
    lost_decades_per_year: Amount = 0.14
    interconnect_share: float = 0.1
    pue: Amount = 1.2

    def __post_init__(self) -> None:
        """Validate the amounts; the share of interconnect must be below one."""
        check_amounts(self)
        check_share(self, "interconnect_share", below=1.0)

    @property
    def usd_per_gpu_h(self) -> Number:
        """Return the cost of one GPU hour: depreciation, its share of the interconnect, and energy.

        The value falls by `lost_decades_per_year` orders of magnitude per year (Epoch: 0.14): value · (OOM · ln 10) /
        8760; interconnect adds hw · f / (1 - f).
        """
        depreciation = self.value_at_start_usd * self.lost_decades_per_year * math.log(10) / HOURS_PER_YEAR
        interconnect = depreciation * self.interconnect_share / (1 - self.interconnect_share)
        return depreciation + interconnect + self.power_kw * self.pue * self.usd_per_kwh


Work = Transformer | Network | Pilot
