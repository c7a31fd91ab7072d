"""What our loop costs over the bare ONNX Runtime loop, in interleaved blocks of one run; and how quick `--help` is."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests.performance.bare_loop import network, overheads
from weighbridge.statistics.percentile_intervals import autocovariances
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner


def test_our_loop_costs_at_most_two_percent_over_the_bare_one(tmp_path, keep):
    ratios = overheads(OnnxRuntimeRunner(network(tmp_path / "network.onnx"), threads=1))
    assert keep(
        "profile.overhead",
        statistics.median(ratios),
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
