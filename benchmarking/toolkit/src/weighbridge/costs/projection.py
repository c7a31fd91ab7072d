"""Projection: options side by side on one load curve; each metric is a distribution from paired draws.

All options use the same draws of shared inputs; each option has its own random stream for its own inputs. So a
difference between two options comes from the options, and adding an option does not change the others.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.metrics import METRICS
from weighbridge.costs.parts.options import CostOption, CostSpec, Shared
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import Draws, Range, Swing
from weighbridge.costs.yearly_costs import Evaluated, evaluate

# Swings are stored for these metrics, which decisions use.
TORNADOES = ("total_cost_1y_usd", "tco_usd")
CHEAPEST = ("total_cost_1y_usd", "inference_cost_1y_usd", "tco_usd")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """An option with its shared inputs; every range is an array of draws."""

    shared: Shared
    option: CostOption


@dataclasses.dataclass(frozen=True)
class OptionProjection:
    """The projection of one option: at the medians of its inputs, and with draws."""

    option: CostOption
    middle: Evaluated
    drawn: Evaluated
    metrics: Mapping[str, Draws]
    tornado: Mapping[str, tuple[Swing, ...]]


@dataclasses.dataclass(frozen=True)
class Projection:
    """All options of a spec, projected with `seed` and `draws`."""

    spec: CostSpec
    options: tuple[OptionProjection, ...]
    seed: int
    draws: int

    def of(self, option_id: str) -> OptionProjection:
        """Return the projection of one option; raise Invalid for an unknown one."""
        found = {each.option.id: each for each in self.options}
        if option_id not in found:
            raise Invalid(f"There is no option {option_id!r}; the options are {', '.join(found)}.", field="option")
        return found[option_id]

    def cheapest(self, metric: str) -> dict[str, float]:
        """Return, for each option, the share of draws in which it has the lowest metric; ties are shared evenly."""
        costs = np.stack([each.metrics[metric] for each in self.options])
        is_least = costs == costs.min(axis=0)
        shares = (is_least / is_least.sum(axis=0)).mean(axis=1)
        return {each.option.id: float(share) for each, share in zip(self.options, shares, strict=True)}


def project(spec: CostSpec, *, seed: int | None = None, draws: int | None = None) -> Projection:
    """Project all options; `seed` and `draws` override those of the spec.

    Raises Invalid with the path of an option whose load no number of replicas can serve.
    """
    seed, draws = spec.seed if seed is None else seed, spec.draws if draws is None else draws
    options = tuple(_projected(spec, position, seed=seed, n=draws) for position in range(len(spec.options)))
    return Projection(spec, options, seed, draws)


def draw_option(spec: CostSpec, option: CostOption, *, seed: int, n: int) -> Drawn:
    """Return an option with draws for its ranges; all options get the same draws of shared inputs."""
    shared = replaced(spec.shared, draw_all(ranges_in(spec.shared), seed=seed, n=n))
    return Drawn(shared, replaced(option, draw_all(ranges_in(option), seed=seed, n=n, stream=f"{option.id}/")))


def at(spec: CostSpec, drawn: Drawn) -> Evaluated:
    """Return the costs of an option whose inputs have no ranges."""
    return evaluate(spec.curve, drawn.shared, drawn.option, requests_median=spec.requests_median)


def _projected(spec: CostSpec, position: int, *, seed: int, n: int) -> OptionProjection:
    option = spec.options[position]
    try:
        middle = at(spec, _still(spec, option, {}))
        drawn = at(spec, draw_option(spec, option, seed=seed, n=n))
    except Invalid as refused:
        path = f"options[{position}].serving.{refused.field}"
        raise Invalid(f"{path}: {refused.reason}", code=refused.code, field=path) from refused
    metrics = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), n) for name, value in drawn.metrics.items()}
    return OptionProjection(option, middle, drawn, metrics, _tornadoes(spec, option))


def _still(spec: CostSpec, option: CostOption, moved: Mapping[str, float]) -> Drawn:
    """Return the option with each range at its median, except the `moved` ones."""
    ranges = _all_ranges(spec, option)
    values = {path: moved.get(path, spread.median) for path, spread in ranges.items()}
    return Drawn(replaced(spec.shared, values), replaced(option, values))


def _all_ranges(spec: CostSpec, option: CostOption) -> dict[str, Range]:
    return {**ranges_in(spec.shared), **ranges_in(option)}


def _tornadoes(spec: CostSpec, option: CostOption) -> dict[str, tuple[Swing, ...]]:
    """Return, for each decision metric, the effect of each range from its P10 to its P90."""
    ends = {
        path: [_metrics_with(spec, option, path, spread.quantile(p)) for p in (0.1, 0.9)]
        for path, spread in _all_ranges(spec, option).items()
    }
    swings = {name: [Swing(path, low[name], high[name]) for path, (low, high) in ends.items()] for name in TORNADOES}
    return {
        name: tuple(sorted((swing for swing in found if swing.size > 0), key=lambda swing: -swing.size))
        for name, found in swings.items()
    }


def _metrics_with(spec: CostSpec, option: CostOption, path: str, value: float) -> Mapping[str, float]:
    """Return the metrics with one input changed; infinite if no number of replicas can then serve the load."""
    try:
        return {name: float(metric) for name, metric in at(spec, _still(spec, option, {path: value})).metrics.items()}
    except Invalid:
        return dict.fromkeys(METRICS, float("inf"))
