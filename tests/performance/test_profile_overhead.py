"""What our loop costs over the bare ONNX Runtime loop, in interleaved blocks of one run; and how quick `--help` is."""

import gc
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from weighbridge.measure.loops.latency import single_stream
from weighbridge.measure.scenarios import SingleStream, WarmUp
from weighbridge.statistics.percentile_intervals import autocovariances
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

ROWS, BLOCK, ROUNDS = 64, 300, 12


@pytest.fixture
def network(tmp_path):
    """Build a network of about a tenth of a millisecond: three dense layers of 512."""
    from onnx import TensorProto, helper, numpy_helper

    from tests.unit.toolkit.builders import save

    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(512, 512)).astype(np.float32) / 20 for _ in range(3)]
    nodes = [
        node
        for index in range(3)
        for node in (
            helper.make_node("MatMul", [f"a{index}", f"w{index}"], [f"m{index}"]),
            helper.make_node("Relu", [f"m{index}"], [f"a{index + 1}"]),
        )
    ]
    return save(
        nodes,
        [helper.make_tensor_value_info("a0", TensorProto.FLOAT, ["n", 512])],
        [helper.make_tensor_value_info("a3", TensorProto.FLOAT, ["n", 512])],
        [numpy_helper.from_array(weight, f"w{index}") for index, weight in enumerate(weights)],
        tmp_path / "network.onnx",
    )


def test_our_loop_costs_at_most_two_percent_over_the_bare_one(network, keep):
    runner = OnnxRuntimeRunner(network, threads=1)
    x = np.random.default_rng(1).normal(size=(ROWS, 512)).astype(np.float32)
    feeds = [{"a0": x[row : row + 1]} for row in range(ROWS)]
    bare, clock = runner._session, time.perf_counter_ns

    def bare_ns():
        latencies = []
        gc.disable()
        for index in range(BLOCK):
            feed = feeds[index % ROWS]
            begun = clock()
            bare.run(None, feed)
            latencies.append(clock() - begun)
        gc.enable()
        return statistics.median(latencies)

    def our_ns():
        scenario = SingleStream(
            min_samples=BLOCK, min_duration_s=0.0, warmup=WarmUp(values=10, value_ms=0, max_duration_s=0.01)
        )
        run = single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=lambda _: None)
        return float(np.median(run.latencies_ns))

    bare_ns(), our_ns()
    ratios = [our_ns() / bare_ns() if turn % 2 else 1 / (bare_ns() / our_ns()) for turn in range(ROUNDS)]
    ratio = statistics.median(ratios)
    assert keep(
        "profile.overhead",
        ratio,
        "",
        at_most=1.02,
        title="Median latency in our loop over the bare ONNX Runtime loop, ratio",
        beside=f"blocks {min(ratios):.3f} to {max(ratios):.3f}",
    ).is_held


def test_help_takes_less_than_three_tenths_of_a_second(keep):
    command = [sys.executable, "-m", "weighbridge", "--help"]
    times = []
    for _ in range(9):
        begun = time.monotonic()
        subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=True)
        times.append(time.monotonic() - begun)
    assert keep(
        "profile.help",
        statistics.median(times),
        "s",
        at_most=0.3,
        title="`weighbridge --help`",
        beside=f"median of {len(times)}, {min(times):.3f} to {max(times):.3f} s",
    ).is_held


def test_the_dependence_of_millions_of_samples_costs_little(keep):
    samples = np.random.default_rng(2).lognormal(sigma=0.1, size=5 * 412_609)  # a large prime slows transforms
    lags = int(np.sqrt(len(samples)))

    def seconds(work):
        begun = time.monotonic()
        work()
        return time.monotonic() - begun

    def textbook():
        spectrum = np.fft.rfft(samples - samples.mean(), 2 * len(samples))
        return np.fft.irfft(spectrum * np.conj(spectrum))[: lags + 1] / len(samples)

    ratios = [seconds(lambda: autocovariances(samples, lags)) / seconds(textbook) for _ in range(5)]
    assert keep(
        "profile.dependence",
        statistics.median(ratios),
        "",
        at_most=0.2,
        title="Autocovariances of two million samples over the transform of twice the length, ratio",
        beside=f"{min(ratios):.3f} to {max(ratios):.3f}",
    ).is_held
