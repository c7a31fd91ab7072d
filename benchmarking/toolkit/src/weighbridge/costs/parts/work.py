"""Work: the GPU hours of one training run, the hourly cost of owned hardware, and the energy of device hours.

The inputs may be ranges; `gpu_hours` and `usd_per_gpu_h` need numbers or draws. Sources: 6·N·D from EleutherAI's
"Transformer Math 101"; chip hours and owned hardware from Epoch's training-cost estimates; energy and carbon from
Patterson et al., "Carbon Emissions and Large Neural Network Training" (2021), section 2.
"""

import dataclasses
import math

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, Number, line_of
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, SECONDS_PER_HOUR
from weighbridge.costs.uncertainty import Amount, Range, Share, check_amounts, check_positive, check_share

# Model FLOPs utilization is not known in advance, so it is a range, not a point.
UTILIZATION = Range(0.25, 0.50)
WATTS_PER_KILOWATT = 1000.0


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Energy:
    """Hours of all devices together, the mean power of one in watts, and what the site and the grid add.

    `pue` is the energy of the site per energy of its machines. `kg_per_kwh` are kilograms of carbon dioxide equivalents
    per kilowatt hour of the grid. With `usd_per_kwh` 0 the energy has no price of its own.
    """

    device_hours: Amount
    watts: Amount
    pue: Amount
    kg_per_kwh: Amount
    usd_per_kwh: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts; a site uses no less energy than its machines."""
        check_amounts(self)
        check_positive(self, "watts")
        least_pue = self.pue.low if isinstance(self.pue, Range) else self.pue
        if isinstance(least_pue, int | float) and least_pue < 1:
            raise Invalid("The PUE is 1 or more: a site uses no less energy than its machines.", field="pue")


def energy_cost(spec: Energy) -> Costing:
    """Return the price of the energy. Quantities: `energy_kwh`, and `carbon_kg` by the factor of the grid."""
    energy_kwh = spec.device_hours * spec.watts / WATTS_PER_KILOWATT * spec.pue
    line = line_of(spec, "energy", energy_kwh * spec.usd_per_kwh, "energy_kwh · usd_per_kwh", energy_kwh=energy_kwh)
    return Costing((line,), {"energy_kwh": energy_kwh, "carbon_kg": energy_kwh * spec.kg_per_kwh})


Work = Transformer | Network | Pilot
