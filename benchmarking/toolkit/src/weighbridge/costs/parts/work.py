"""Work: where the GPU hours of one training run come from, and what an hour of one's own hardware costs.

Each is a set of inputs that may be ranges; `gpu_hours` and `usd_per_gpu_h` take them as numbers or draws.
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
    """A dense transformer: 6·N·D operations on devices of `peak_flops_per_s`, of which `utilization` is used."""

    parameters: Amount
    tokens: Amount
    peak_flops_per_s: Amount
    utilization: Amount = UTILIZATION

    def __post_init__(self) -> None:
        """Refuse what is no amount, and devices that do nothing."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "peak_flops_per_s", "utilization")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        flops = flops_of_transformer(self.parameters, self.tokens)
        return gpu_hours_of_flops(flops, peak_flops_per_s=self.peak_flops_per_s, utilization=self.utilization)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """Any network whose forward pass was counted: 3 · `forward_flops` · samples · epochs; a multiply-add
    counts as two.
    """

    forward_flops: Amount
    samples: Amount
    epochs: Amount
    peak_flops_per_s: Amount
    utilization: Amount = UTILIZATION

    def __post_init__(self) -> None:
        """Refuse what is no amount, and devices that do nothing."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "peak_flops_per_s", "utilization")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        flops = flops_of_training(self.forward_flops, self.samples, self.epochs)
        return gpu_hours_of_flops(flops, peak_flops_per_s=self.peak_flops_per_s, utilization=self.utilization)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pilot:
    """A pilot run was measured at `samples_per_gpu_s` on one GPU."""

    samples: Amount
    epochs: Amount
    samples_per_gpu_s: Amount

    def __post_init__(self) -> None:
        """Refuse what is no amount, and a pilot that stood still."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))
        check_positive(self, "samples_per_gpu_s")

    @property
    def gpu_hours(self) -> Number:
        """Return the GPU hours of one run."""
        return gpu_hours_of_pilot(self.samples, self.epochs, samples_per_gpu_s=self.samples_per_gpu_s)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnedHardware:
    """One's own GPUs: what one was worth at the start, what it loses, and its energy (`power_kw` with its server's
    share).
    """

    value_at_start_usd: Amount
    power_kw: Amount
    usd_per_kwh: Amount
    lost_decades_per_year: Amount = 0.14
    interconnect_share: float = 0.1
    pue: Amount = 1.2

    def __post_init__(self) -> None:
        """Refuse what is no amount, and interconnect that is everything."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self) if field.name != "interconnect_share"))
        check_share(self, "interconnect_share", below=1.0)

    @property
    def usd_per_gpu_h(self) -> Number:
        """Return what an hour of one GPU costs."""
        return owned_usd_per_gpu_h(
            value_at_start_usd=self.value_at_start_usd,
            lost_decades_per_year=self.lost_decades_per_year,
            interconnect_share=self.interconnect_share,
            power_kw=self.power_kw,
            pue=self.pue,
            usd_per_kwh=self.usd_per_kwh,
        )


Work = Transformer | Network | Pilot
