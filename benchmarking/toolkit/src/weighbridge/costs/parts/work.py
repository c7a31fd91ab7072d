"""Work: the GPU hours of one training run, and the hourly cost of owned hardware.

The inputs may be ranges; `gpu_hours` and `usd_per_gpu_h` need numbers or draws.
"""

import dataclasses

from weighbridge.costs.lines import Number
from weighbridge.costs.parts.training import (
    UTILIZATION,
    flops_of_training,
    flops_of_transformer,
    gpu_hours_of_flops,
    gpu_hours_of_pilot,
    owned_usd_per_gpu_h,
)
from weighbridge.costs.uncertainty import Amount, check_amounts, check_positive, check_share


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transformer:
    """A dense transformer: 6·N·D operations on devices of `peak_flops_per_s` at the share `utilization`."""

    parameters: Amount
    tokens: Amount
    peak_flops_per_s: Amount
    utilization: Amount = UTILIZATION

    def __post_init__(self) -> None:
        """Validate the amounts; devices need a positive speed."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "peak_flops_per_s", "utilization")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        flops = flops_of_transformer(self.parameters, self.tokens)
        return gpu_hours_of_flops(flops, peak_flops_per_s=self.peak_flops_per_s, utilization=self.utilization)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """Any network with a known number of forward FLOPs: 3 · `forward_flops` · samples · epochs; a multiply-add counts
    as two.
    """

    forward_flops: Amount
    samples: Amount
    epochs: Amount
    peak_flops_per_s: Amount
    utilization: Amount = UTILIZATION

    def __post_init__(self) -> None:
        """Validate the amounts; devices need a positive speed."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "peak_flops_per_s", "utilization")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        flops = flops_of_training(self.forward_flops, self.samples, self.epochs)
        return gpu_hours_of_flops(flops, peak_flops_per_s=self.peak_flops_per_s, utilization=self.utilization)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pilot:
    """A pilot run with `samples_per_gpu_s` measured on one GPU."""

    samples: Amount
    epochs: Amount
    samples_per_gpu_s: Amount

    def __post_init__(self) -> None:
        """Validate the amounts; the pilot needs a positive rate."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "samples_per_gpu_s")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        return gpu_hours_of_pilot(self.samples, self.epochs, samples_per_gpu_s=self.samples_per_gpu_s)


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
        check_amounts(self, *(field.name for field in dataclasses.fields(self) if field.name != "interconnect_share"))
        check_share(self, "interconnect_share", below=1.0)

    @property
    def usd_per_gpu_h(self) -> Number:
        """Return the cost of one GPU hour."""
        return owned_usd_per_gpu_h(
            value_at_start_usd=self.value_at_start_usd,
            lost_decades_per_year=self.lost_decades_per_year,
            interconnect_share=self.interconnect_share,
            power_kw=self.power_kw,
            pue=self.pue,
            usd_per_kwh=self.usd_per_kwh,
        )


Work = Transformer | Network | Pilot
