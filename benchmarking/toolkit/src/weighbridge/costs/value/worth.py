"""Worth: the value of better answers compared with their cost: whether "5 % more accuracy for 20 % more cost" pays.

For each option: its yearly gain over the baseline, the net of its extra cost over the years, the probability that the
net is positive, the increase of the metric needed to break even, and the share of the best gain that it keeps. A
variant (INT8, distilled) is an option like any other.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from weighbridge.costs.lines import Number
from weighbridge.costs.parts.options import CostOption, Value
from weighbridge.costs.projection import Projection
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import Draws, Range
from weighbridge.costs.value.answer_quality import Confusion, QualityChange, Stakes

HALF_CENT = 0.005


@dataclasses.dataclass(frozen=True)
class OptionWorth:
    """Draws of one option relative to the baseline: yearly gain, extra cost over the years, and net of both.

    `break_even_points` is how many points of the metric (units of error for a forecast) pay for the extra cost; `kept`
    is the share of the best option's gain.
    """

    option: str
    year_usd: Draws
    gain_usd: Draws
    extra_cost_usd: Draws
    net_usd: Draws
    break_even_points: Draws
    kept: Draws

    @property
    def pays(self) -> float:
        """Return the probability that the gain exceeds the extra cost, by what is not rounded to nothing."""
        return float((self.net_usd >= HALF_CENT).mean())


def worth(projection: Projection) -> tuple[OptionWorth, ...]:
    """Return the worth of each option with a quality, relative to the baseline; empty if the spec has no value."""
    value, n = projection.spec.value, projection.draws
    if value is None:
        return ()
    drawn = replaced(value, draw_all(ranges_in(value), seed=projection.seed, n=n, stream="value/"))
    options = [each.option for each in projection.options if each.option.quality is not None]
    cases = _cases(projection, drawn)
    first = next(option for option in options if option.id == value.baseline)
    rates = {option.id: _rates(option, first, drawn.stakes, seed=projection.seed, n=n) for option in options}
    years = {name: np.broadcast_to(drawn.stakes.year_usd(rate, cases), n) for name, rate in rates.items()}
    gains = {name: year - years[value.baseline] for name, year in years.items()}
    best = max(gains, key=lambda name: float(np.median(gains[name])))
    return tuple(_against(projection, drawn, name, years[name], gains, best, cases) for name in years)


def _against(
    projection: Projection, drawn: Value, name: str, year: Draws, gains: Mapping[str, Draws], best: str, cases: Number
) -> OptionWorth:
    """Return the net a · ΔBV · factor - ΔTCO, and the points that pay for it, ΔTCO / (a · dBV/dmetric · factor)."""
    gain, time = gains[name], projection.options[0].drawn.ownership
    # A case is a request or part of one: benefits grow with the volume, as serving does; prices drift for costs alone.
    factor = time.factor(time.volume_rise)
    # Infinite costs (the load cannot be served) have no difference and no break-even.
    with np.errstate(divide="ignore", invalid="ignore"):
        extra = projection.of(name).metrics["tco_usd"] - projection.of(drawn.baseline).metrics["tco_usd"]
        net = drawn.adoption * gain * factor - extra
        points = extra / (drawn.adoption * (drawn.stakes.per_point_usd(cases) * factor))
        kept = np.where(gains[best] != 0, gain / gains[best], 0.0)
    return OptionWorth(name, year, gain, extra, net, np.maximum(np.broadcast_to(points, year.shape), 0.0), kept)


def _cases(projection: Projection, drawn: Value) -> Number:
    """Return the cases of a year: those of the stakes, or all requests, as in the other draws."""
    if drawn.stakes.cases_per_year is not None:
        return drawn.stakes.cases_per_year
    return projection.options[0].drawn.requests_per_year


def _rates(option: CostOption, first: CostOption, stakes: Stakes, *, seed: int, n: int) -> Any:
    """Return the rates or the metric of an option as draws; a change uses the baseline's own draws."""
    quality: Any = option.quality
    stream = f"{option.id}/quality"
    if isinstance(quality, QualityChange):
        return quality.of(*_rates(first, first, stakes, seed=seed, n=n))
    if isinstance(quality, Confusion):
        return quality.draw(n=n, seed=seed, stream=stream)
    if not isinstance(quality.metric, Range):
        return quality.metric
    return draw_all({"metric": quality.metric.within(stakes.limits)}, seed=seed, n=n, stream=f"{stream}/")["metric"]
