"""Ten thousand draws over the 168 hours of a week are sized and priced in one call of at most 0.15 s."""

import time

import numpy as np

from tests.performance.recorder import Recorder
from weighbridge.costs.parts.load_curve import curve_of_counts, weekly_shape
from weighbridge.costs.parts.serving import SelfHosted, serving_cost
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import SEED, Range

DRAWS, LIMIT_S = 10_000, 0.15


def test_ten_thousand_draws_by_168_hours(keep: Recorder) -> None:
    """168 different hours; service time, price and volume are ranges; processor time, the best of five."""
    rng = np.random.default_rng(1)
    hours = weekly_shape() * rng.uniform(0.95, 1.05, 168) * 200_000
    curve = curve_of_counts(hours.tolist())
    spec = SelfHosted(
        service_s=Range(0.1, 0.14), limit_s=0.5, usd_per_replica_h=Range(0.9, 1.1), slots=4, volume=Range(0.7, 1.4)
    )
    ready = replaced(spec, draw_all(ranges_in(spec), seed=SEED, n=DRAWS))
    assert len(np.unique(curve.rates_per_s)) == 168
    times = []
    for _ in range(5):
        begun = time.process_time()
        cost = serving_cost(curve, ready)
        times.append(time.process_time() - begun)
    assert cost.total_usd.shape == (DRAWS,)
    assert keep(
        "costs.draws_by_hours",
        min(times),
        "s of processor time",
        at_most=LIMIT_S,
        title=f"Sizing and pricing {DRAWS:,} draws over 168 hours",
    ).is_held
