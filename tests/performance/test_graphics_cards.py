"""What our loop costs over the bare loop of ONNX Runtime on the same graphics card, and what a reading of it takes.

Without a card there is nothing to measure: the test says so, and keeps no figure.
"""

import statistics
import time

import pytest

from tests.performance.bare_loop import network, overheads
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.watch import CardWatch
from weighbridge.measure.scenarios import ON_CARDS, RuntimeSettings
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

READINGS = 50


@pytest.mark.parametrize("provider", sorted(ON_CARDS))
def test_our_loop_costs_at_most_two_percent_on_a_card(tmp_path, keep, provider):
    path, settings = network(tmp_path / "network.onnx"), RuntimeSettings(provider=provider)
    try:
        runner = OnnxRuntimeRunner(path, threads=1, settings=settings)
    except Invalid as refusal:
        print(f"\ngpu.overhead.{provider}: not run: {refusal.reason}")
        return
    watch = CardWatch()
    watch.open(0)
    card = watch.device.name if watch.device is not None else "a card without a name"
    ratios = overheads(runner)
    assert keep(
        f"gpu.overhead.{provider}",
        statistics.median(ratios),
        "",
        at_most=1.02,
        title=f"Median latency in our loop over the bare ONNX Runtime loop on {card}, {provider}, ratio",
        beside=f"blocks {min(ratios):.3f} to {max(ratios):.3f}",
    ).is_held
    times = []
    for _ in range(READINGS):
        begun = time.perf_counter()
        watch.read()
        times.append((time.perf_counter() - begun) * 1_000)
    if watch.not_recorded is None:
        beside = f"{min(times):.2f} to {max(times):.2f} ms; between two queries, never within one"
        keep(
            f"gpu.reading.{provider}",
            statistics.median(times),
            "ms",
            title=f"A reading of {card} by NVML",
            beside=beside,
        )
    watch.close()
