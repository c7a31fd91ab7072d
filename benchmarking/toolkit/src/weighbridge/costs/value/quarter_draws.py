"""Draws of what each option of a projection gains and uses in one quarter, for choosing between models.

The gain is a fourth of the yearly gain over the baseline of the projection, times the share that is realized. It is
known only for options whose quality is stated; that of the baseline is 0. The cost is a fourth of serving and upkeep of
the first year, and the training, paid at once.
"""

import dataclasses

import numpy as np

from weighbridge.costs.parts.options import CostOption, CostSpec
from weighbridge.costs.projection import OptionProjection, Projection, at, draw_option
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import Draws
from weighbridge.costs.value.worth import worth

QUARTERS_A_YEAR = 4


@dataclasses.dataclass(frozen=True)
class QuarterDraws:
    """One option in a quarter, each (draws,): gain (None if not stated), running cost, cost and hours of training."""

    option: str
    title: str
    gain_usd: Draws | None
    running_usd: Draws
    training_usd: Draws
    training_gpu_hours: Draws

    @property
    def is_served(self) -> bool:
        """Whether the load is served in every draw; otherwise costs are infinite."""
        return bool(np.isfinite(self.running_usd).all())


def quarter_draws(spec: CostSpec, *, seed: int, draws: int) -> tuple[QuarterDraws, ...]:
    """Draw every option of a spec; raises Invalid if no number of replicas can serve the load of one."""
    projection = Projection(spec, tuple(_drawn(spec, option, seed, draws) for option in spec.options), seed, draws)
    gains = _gains(projection)
    return tuple(
        QuarterDraws(
            option=each.option.id,
            title=each.option.title,
            gain_usd=gains.get(each.option.id),
            running_usd=(each.metrics["inference_cost_1y_usd"] + each.metrics["upkeep_1y_usd"]) / QUARTERS_A_YEAR,
            training_usd=each.metrics["training_cost_usd"],
            training_gpu_hours=each.metrics["training_gpu_hours"],
        )
        for each in projection.options
    )


def _drawn(spec: CostSpec, option: CostOption, seed: int, n: int) -> OptionProjection:
    """The option with draws only: middles and swings are not needed here."""
    found = at(spec, draw_option(spec, option, seed=seed, n=n))
    metrics = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), n) for name, value in found.metrics.items()}
    return OptionProjection(option, found, found, metrics, {})


def _gains(projection: Projection) -> dict[str, Draws]:
    """The realized gain of a quarter over the baseline, by option."""
    value, n = projection.spec.value, projection.draws
    if value is None:
        return {}
    adoption = replaced(value, draw_all(ranges_in(value), seed=projection.seed, n=n, stream="value/")).adoption
    realized = np.broadcast_to(np.asarray(adoption, dtype=np.float64), n) / QUARTERS_A_YEAR
    return {each.option: each.gain_usd * realized for each in worth(projection)}
