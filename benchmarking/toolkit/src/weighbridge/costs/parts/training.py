"""Training: the cost of training a model, including trials, failures and people.

Work is in GPU hours: stated, computed from operations, or measured in a pilot. Sources: 6·N·D from EleutherAI's
"Transformer Math 101"; chip hours and owned hardware from Epoch's training-cost estimates; spot interruptions from
Young's and Daly's first-order model.
"""

import dataclasses
import math

from weighbridge.costs.lines import Costing, CostLine, Number
from weighbridge.costs.spec.usd import UsdPerGpuH
from weighbridge.costs.uncertainty import Amount, Range, check_amounts

SECONDS_PER_HOUR = 3_600
HOURS_PER_YEAR = 8_760
# Model FLOPs utilization is not known in advance, so it is a range, not a point.
UTILIZATION = Range(0.25, 0.50)


def flops_of_transformer(parameters: Number, tokens: Number) -> Number:
    """Return the operations of training a dense transformer: 6·N·D; for a mixture of experts N counts active ones."""
    return 6 * parameters * tokens


def flops_of_training(forward_flops: Number, samples: Number, epochs: Number) -> Number:
    """Return the operations of training any network: 3 times the forward pass; one multiply-add counts as two."""
    return 3 * forward_flops * samples * epochs


def gpu_hours_of_flops(flops: Number, *, peak_flops_per_s: Number, utilization: Number) -> Number:
    """Return the GPU hours of `flops` on devices of `peak_flops_per_s` at the share `utilization`."""
    return flops / (peak_flops_per_s * utilization) / SECONDS_PER_HOUR


def gpu_hours_of_pilot(samples: Number, epochs: Number, *, samples_per_gpu_s: Number) -> Number:
    """Return the GPU hours for `samples` · `epochs` at the rate that a pilot measured on one GPU."""
    return samples * epochs / samples_per_gpu_s / SECONDS_PER_HOUR


def spot_stretch(preemptions_per_h: Number, *, checkpoint_every_h: Number, restart_h: Number) -> Number:
    """Return the factor by which a run is longer on spot capacity: 1 + λ·(τ/2 + r)."""
    return 1 + preemptions_per_h * (checkpoint_every_h / 2 + restart_h)


def owned_usd_per_gpu_h(
    *,
    value_at_start_usd: Number,
    lost_decades_per_year: Number = 0.14,
    interconnect_share: Number = 0.1,
    power_kw: Number,
    pue: Number = 1.2,
    usd_per_kwh: Number,
) -> Number:
    """Return the hourly cost of an owned GPU: depreciation, its share of the interconnect, and energy.

    The value falls by `lost_decades_per_year` orders of magnitude per year (Epoch: 0.14): value · (OOM · ln 10) / 8760;
    interconnect adds hw · f / (1 - f); `power_kw` is the draw of the GPU with its share of the server.
    """
    depreciation = value_at_start_usd * lost_decades_per_year * math.log(10) / HOURS_PER_YEAR
    interconnect = depreciation * interconnect_share / (1 - interconnect_share)
    return depreciation + interconnect + power_kw * pue * usd_per_kwh


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """The inputs of a training projection. Shares are of one; each number may be a range.

    `gpu_hours` is one final run without failures; `usd_per_gpu_h` is the price of one GPU hour, including its share of
    the machine. A trial takes `trial_share` of a final run. `failed_share` and `idle_share` are additional hours.
    """

    gpu_hours: Amount
    usd_per_gpu_h: UsdPerGpuH
    final_runs: Amount = 1.0
    trials: Amount = 0.0
    trial_share: Amount = 1.0
    failed_share: Amount = 0.0
    idle_share: Amount = 0.0
    preemptions_per_h: Amount = 0.0
    checkpoint_every_h: Amount = 1.0
    restart_h: Amount = 0.1
    storage_usd: Amount = 0.0
    labeling_usd: Amount = 0.0
    engineer_hours: Amount = 0.0
    engineer_usd_per_h: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts."""
        check_amounts(self, *(field.name for field in dataclasses.fields(self)))


def training_cost(spec: Training) -> Costing:
    """Return the training cost and its GPU hours; `spec` has numbers or draws, no ranges.

    One run is gpu_hours · spot stretch · (1 + failed + idle); trials count as their share of a run.
    """
    stretch = spot_stretch(spec.preemptions_per_h, checkpoint_every_h=spec.checkpoint_every_h, restart_h=spec.restart_h)
    run_h: Number = spec.gpu_hours * stretch * (1 + spec.failed_share + spec.idle_share)
    hours: Number = run_h * (spec.final_runs + spec.trials * spec.trial_share)
    people: Number = spec.engineer_hours * spec.engineer_usd_per_h
    lines = (
        CostLine(
            "compute",
            hours * spec.usd_per_gpu_h,
            "gpu_hours · spot_stretch · (1 + failed_share + idle_share) · (final_runs + trials · trial_share) · "
            "usd_per_gpu_h",
            {
                "gpu_hours": spec.gpu_hours,
                "spot_stretch": stretch,
                "failed_share": spec.failed_share,
                "idle_share": spec.idle_share,
                "final_runs": spec.final_runs,
                "trials": spec.trials,
                "trial_share": spec.trial_share,
                "usd_per_gpu_h": spec.usd_per_gpu_h,
            },
        ),
        CostLine("storage", spec.storage_usd, "storage_usd", {"storage_usd": spec.storage_usd}),
        CostLine("labeling", spec.labeling_usd, "labeling_usd", {"labeling_usd": spec.labeling_usd}),
        CostLine(
            "people",
            people,
            "engineer_hours · engineer_usd_per_h",
            {"engineer_hours": spec.engineer_hours, "engineer_usd_per_h": spec.engineer_usd_per_h},
        ),
    )
    return Costing(lines, {"gpu_hours": hours})
