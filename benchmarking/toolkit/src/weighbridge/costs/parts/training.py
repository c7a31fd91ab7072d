"""Training: the cost of training a model, including trials, failures and people.

Work is in GPU hours; `work` computes them. Spot interruptions follow Young's and Daly's first-order model.
"""

import dataclasses

from weighbridge.costs.lines import Costing, Number, line_of
from weighbridge.costs.spec.usd import UsdPerGpuH
from weighbridge.costs.uncertainty import Amount, Share, check_amounts


def spot_stretch(preemptions_per_h: Number, *, checkpoint_every_h: Number, restart_h: Number) -> Number:
    """Return the factor by which a run is longer on spot capacity: 1 + λ·(τ/2 + r)."""
    return 1 + preemptions_per_h * (checkpoint_every_h / 2 + restart_h)


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
    trial_share: Share = 1.0
    failed_share: Share = 0.0
    idle_share: Share = 0.0
    preemptions_per_h: Amount = 0.0
    checkpoint_every_h: Amount = 1.0
    restart_h: Amount = 0.1
    storage_usd: Amount = 0.0
    labeling_usd: Amount = 0.0
    engineer_hours: Amount = 0.0
    engineer_usd_per_h: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts."""
        check_amounts(self)


def training_cost(spec: Training) -> Costing:
    """Return the training cost and its GPU hours; `spec` has numbers or draws, no ranges.

    One run is gpu_hours · spot stretch · (1 + failed + idle); trials count as their share of a run.
    """
    stretch = spot_stretch(spec.preemptions_per_h, checkpoint_every_h=spec.checkpoint_every_h, restart_h=spec.restart_h)
    run_h: Number = spec.gpu_hours * stretch * (1 + spec.failed_share + spec.idle_share)
    hours: Number = run_h * (spec.final_runs + spec.trials * spec.trial_share)
    lines = (
        line_of(
            spec,
            "compute",
            hours * spec.usd_per_gpu_h,
            "gpu_hours · spot_stretch · (1 + failed_share + idle_share) · (final_runs + trials · trial_share) · "
            "usd_per_gpu_h",
            spot_stretch=stretch,
        ),
        line_of(spec, "storage", spec.storage_usd, "storage_usd"),
        line_of(spec, "labeling", spec.labeling_usd, "labeling_usd"),
        line_of(spec, "people", spec.engineer_hours * spec.engineer_usd_per_h, "engineer_hours · engineer_usd_per_h"),
    )
    return Costing(lines, {"gpu_hours": hours})
