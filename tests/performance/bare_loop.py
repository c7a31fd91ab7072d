"""Our loop beside the bare loop of ONNX Runtime, on the same session, and so on the same processor or card."""

import gc
import statistics
import time
from pathlib import Path

import numpy as np

from weighbridge.measure.loops.latency import single_stream
from weighbridge.measure.scenarios import SingleStream, WarmUp
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

ROWS, BLOCK, ROUNDS, WIDTH = 64, 300, 12, 512


def network(path: Path) -> Path:
    """Build a network of about a tenth of a millisecond on a processor: three dense layers of 512."""
    from onnx import TensorProto, helper, numpy_helper

    from tests.unit.toolkit.builders import save

    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(WIDTH, WIDTH)).astype(np.float32) / 20 for _ in range(3)]
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
        [helper.make_tensor_value_info("a0", TensorProto.FLOAT, ["n", WIDTH])],
        [helper.make_tensor_value_info("a3", TensorProto.FLOAT, ["n", WIDTH])],
        [numpy_helper.from_array(weight, f"w{index}") for index, weight in enumerate(weights)],
        path,
    )


def overheads(runner: OnnxRuntimeRunner) -> list[float]:
    """Return the ratios of the median latency in our loop to that in the bare one, in blocks one after the other."""
    x = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(np.float32)
    feeds = [{"a0": x[row : row + 1]} for row in range(ROWS)]
    bare, clock = runner._session, time.perf_counter_ns

    def bare_ns() -> float:
        latencies = []
        gc.disable()
        for index in range(BLOCK):
            feed = feeds[index % ROWS]
            begun = clock()
            bare.run(None, feed)
            latencies.append(clock() - begun)
        gc.enable()
        return statistics.median(latencies)

    def our_ns() -> float:
        scenario = SingleStream(
            min_samples=BLOCK, min_duration_s=0.0, warmup=WarmUp(values=10, value_ms=0, max_duration_s=0.01)
        )
        run = single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=lambda _: None)
        return float(np.median(run.latencies_ns))

    bare_ns(), our_ns()
    return [our_ns() / bare_ns() if turn % 2 else 1 / (bare_ns() / our_ns()) for turn in range(ROUNDS)]
