"""SingleStream beside MLPerf's LoadGen: the same model, the same inputs, in turns of one process."""

import gc
import re
import time

import numpy as np

from tests.performance.test_profile_overhead import network  # noqa: F401 -- a fixture
from weighbridge.measure.loops.latency import single_stream
from weighbridge.measure.metrics import NS_PER_MS
from weighbridge.measure.scenarios import SingleStream, WarmUp
from weighbridge.statistics.percentile_intervals import serial_percentile_interval
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

QUERIES, TURNS, ROWS = 1_500, 8, 64
PERCENTILES = {50: 0.5, 90: 0.9, 95: 0.95, 99: 0.99}


def loadgen_ms(runner, feeds, folder):
    """Run LoadGen's SingleStream once and return its percentiles in milliseconds, as it prints them."""
    import mlperf_loadgen as lg

    def answer(samples):
        for sample in samples:
            runner.infer(feeds[sample.index])
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0)])

    settings = lg.TestSettings()
    settings.scenario, settings.mode = lg.TestScenario.SingleStream, lg.TestMode.PerformanceOnly
    settings.min_query_count = settings.max_query_count = QUERIES
    settings.min_duration_ms = 0
    output = lg.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = str(folder), False
    logs = lg.LogSettings()
    logs.log_output, logs.enable_trace = output, False
    sut, qsl = lg.ConstructSUT(answer, lambda: None), lg.ConstructQSL(ROWS, ROWS, lambda _: None, lambda _: None)
    lg.StartTestWithLogSettings(sut, qsl, settings, logs)
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)
    text = (folder / "mlperf_log_summary.txt").read_text()
    return {
        p: int(re.search(rf"^{p}\.00 percentile latency \(ns\)\s*: (\d+)", text, re.MULTILINE)[1]) / NS_PER_MS
        for p in PERCENTILES
    }


def test_percentiles_agree_with_loadgen_within_our_interval(network, tmp_path, keep):  # noqa: F811 -- the fixture imported above
    """Median over turns: LoadGen's answer lies within our interval, widened by what Python's hop into it
    costs (8 us).
    """
    runner = OnnxRuntimeRunner(network, threads=1)
    x = np.random.default_rng(1).normal(size=(ROWS, 512)).astype(np.float32)
    feeds = [{"a0": x[row : row + 1]} for row in range(ROWS)]
    warmup = WarmUp(values=10, value_ms=0, max_duration_s=0.05)
    scenario = SingleStream(min_samples=QUERIES, min_duration_s=0.0, warmup=warmup)
    ours, theirs = [], []
    for turn in range(TURNS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        run = single_stream(runner, feeds, scenario=scenario, clock=time.perf_counter_ns, on_tick=lambda _: None)
        ours.append(run.latencies_ns)
        gc.disable()
        theirs.append(loadgen_ms(runner, feeds, folder))
        gc.enable()
    missed = []
    for percent, p in PERCENTILES.items():
        interval = serial_percentile_interval(np.concatenate(ours) / NS_PER_MS, p)
        each = [float(np.quantile(samples, p)) / NS_PER_MS for samples in ours]
        their = float(np.median([answer[percent] for answer in theirs]))
        slack = 0.008 + (interval.upper - interval.lower)
        figure = keep(
            f"percentiles.p{percent}",
            their,
            "ms",
            at_least=min(interval.lower, *each),
            at_most=max(interval.upper, *each) + slack,
            title=f"LoadGen's p{percent} of SingleStream, within ours",
            beside=(
                f"ours {interval.value:.4f} [{interval.lower:.4f}, {interval.upper:.4f}] ms; {TURNS} x {QUERIES:,} "
                "queries each"
            ),
        )
        if not figure.is_held:
            missed.append(percent)
    assert missed == []
