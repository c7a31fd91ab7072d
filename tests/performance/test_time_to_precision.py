"""How long it takes to know the median to a given width: our stopping beside a tool that always takes as many
iterations.
"""

import time

import numpy as np

from tests.performance.test_profile_overhead import network  # noqa: F401 -- a fixture
from weighbridge.measure.loops.latency import single_stream
from weighbridge.measure.scenarios import SingleStream, WarmUp
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.statistics.percentile_intervals import serial_percentile_interval
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

WIDTH = 0.05  # of the median, at 99 %
FIXED = 10_000  # iterations of a tool that cannot tell when it knows enough
STEP = 200


def needed(samples):
    """Return after how many samples, in steps of 200, the interval of the median is narrow enough; all of them if
    never.
    """
    for count in range(STEP, len(samples) + 1, STEP):
        found = serial_percentile_interval(samples[:count], 0.5)
        if found is not None and found.upper - found.lower <= WIDTH * found.value:
            return count
    return len(samples)


def test_the_width_is_reached_before_a_fixed_number_of_iterations(network, keep):  # noqa: F811 -- the fixture imported above
    runner = OnnxRuntimeRunner(network, threads=1)
    x = np.random.default_rng(1).normal(size=(64, 512)).astype(np.float32)
    feeds = [{"a0": x[row : row + 1]} for row in range(64)]
    warmup = WarmUp(values=10, value_ms=0, max_duration_s=0.05)
    scenario = SingleStream(min_samples=FIXED, min_duration_s=0.0, warmup=warmup)
    begun = time.perf_counter()
    run = single_stream(runner, feeds, scenario=scenario, clock=time.perf_counter_ns, on_tick=lambda _: None)
    fixed_s = time.perf_counter() - begun
    enough = needed(run.latencies_ns)
    ours_s = float(run.latencies_ns[:enough].sum()) / 1e9
    assert keep(
        "precision.median",
        ours_s,
        "s",
        at_most=fixed_s,
        title=f"Time until the interval of the median is {WIDTH * 100:.0f} % wide, at 99 %",
        beside=f"{enough:,} samples; a tool of {FIXED:,} fixed iterations takes {fixed_s:.3f} s",
    ).is_held
    assert enough < FIXED


def test_a_run_can_be_ended_as_soon_as_it_knows_enough(network, keep):  # noqa: F811 -- the fixture imported above
    runner = OnnxRuntimeRunner(network, threads=1)
    feeds = [{"a0": np.zeros((1, 512), dtype=np.float32)}]

    def stop(share):
        if share > 0:
            raise StopMeasurement

    scenario = SingleStream(min_samples=10**9, warmup=WarmUp(values=10, value_ms=0, max_duration_s=0.05))
    run = single_stream(runner, feeds, scenario=scenario, clock=time.perf_counter_ns, on_tick=stop)
    keep(
        "precision.stop",
        run.duration_s,
        "s",
        at_most=1.0,
        title="A run that is told to end hands over what it has",
        beside=f"{len(run.latencies_ns):,} samples kept",
    )
    assert run.is_partial
    assert run.duration_s < 1.0
