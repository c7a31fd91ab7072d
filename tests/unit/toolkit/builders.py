"""Tiny ONNX models, data sets, a clock that tests wind, and a runner that obeys it."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx  # noqa: TID253 -- tests build models
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from weighbridge.measure.measurement import measure
from weighbridge.systems.registry import system_of

WEIGHTS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.float32)


def save(nodes, inputs, outputs, initializers, path: Path, **opsets) -> Path:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    imports = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=9), str(path))
    return path


def classifier(path: Path, *, batch="n", dtype=TensorProto.FLOAT) -> Path:
    """Scores three classes from four numbers by an (almost) unit matrix: the answer is the largest of the
    first three.
    """
    return save(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [helper.make_tensor_value_info("x", dtype, [batch, 4])],
        [helper.make_tensor_value_info("y", dtype, [batch, 3])],
        [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(np.array([1, 2], dtype=np.int64), "shape")],
        path,
    )


def bundle(path: Path) -> Path:
    """The classifier with its weights in a file beside it."""
    model = onnx.load(str(classifier(path)))
    onnx.save(model, str(path), save_as_external_data=True, location=f"{path.stem}.bin", size_threshold=0)
    return path


def identity(path: Path, *, shape: Sequence[int | str | None], dtype=TensorProto.FLOAT, inputs: int = 1) -> Path:
    """Answers its inputs."""
    names = [f"x{index}" for index in range(inputs)]
    return save(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in names],
        [helper.make_tensor_value_info(name, dtype, shape) for name in names],
        [helper.make_tensor_value_info(f"{name}_out", dtype, None) for name in names],
        [],
        path,
    )


def gatherer(path: Path) -> Path:
    """Looks the input up in a table of two rows: fails for every other index."""
    return save(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.eye(2, dtype=np.float32), "table")],
        path,
    )


def counter(path: Path) -> Path:
    """Adds its input to its state, which has the batch in the second dimension."""
    shape = [1, "batch", 4]
    return save(
        [
            helper.make_node("Add", ["x", "state"], ["next"]),
            helper.make_node("ReduceSum", ["next"], ["total"], keepdims=0),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "state")],
        [
            helper.make_tensor_value_info("total", TensorProto.FLOAT, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, shape),
        ],
        [],
        path,
    )


def endless(path: Path) -> Path:
    """Loops for ever: a Loop with the largest trip count."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still_going"]),
            helper.make_node("Add", ["sum", "sum"], ["doubled"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("still_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("doubled", TensorProto.FLOAT, [1]),
        ],
        [numpy_helper.from_array(np.ones(5, dtype=np.float32), "inner")],
    )
    return save(
        [helper.make_node("Loop", ["turns", "go", "x"], ["y"], body=body)],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [
            numpy_helper.from_array(np.array(2**62, dtype=np.int64), "turns"),
            numpy_helper.from_array(np.array(True), "go"),
        ],
        path,
    )


def hungry(path: Path) -> Path:
    """Asks for 400 GB."""
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    return save(
        [
            helper.make_node("Shape", ["x"], ["size"]),
            helper.make_node("Mul", ["size", "many"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["y"], value=value),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([10**11], dtype=np.int64), "many")],
        path,
    )


def data_set(path: Path, *, rows: int = 300, wrong: int = 30, seed: int = 7) -> Path:
    """Rows whose true class the classifier finds, but for the first `wrong` ones."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    y = (x @ WEIGHTS).argmax(axis=1)
    y[:wrong] = (y[:wrong] + 1) % 3
    np.savez(path, x=x, y=y)
    return path


class Clock:
    """Nanoseconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class ScriptedRunner:
    """Takes the next of the given latencies for each query; an exception in their place is raised."""

    def __init__(self, clock: Clock, script) -> None:
        self.clock = clock
        self.script = script
        self.asked = []

    def infer(self, feed):
        self.asked.append(feed)
        step = self.script(len(self.asked) - 1)
        if isinstance(step, Exception):
            self.clock.now_ns += 1_000
            raise step
        self.clock.now_ns += step
        return []


def measured(model, *, settings, isolation="none", **rest):
    """Measure an ONNX file in this process."""
    system = system_of({"system": "onnx", "options": {"model": model}}, settings)
    return measure(system, settings=settings, isolation=isolation, **rest)


HEAD = """
import json, os, signal, sys, time
job = json.load(open(sys.argv[-1]))

def say(**said):
    print(json.dumps(said), flush=True)

def hand_over(document):
    text = document if isinstance(document, str) else json.dumps(document)
    view = memoryview(text.encode())
    while view:
        view = view[os.write(job["outcome"], view):]
"""


def script(path: Path, text: str) -> list[str]:
    """Write a program that knows its `job`, and can `say(...)` and `hand_over(...)`; answer how it is called."""
    path.write_text(HEAD + textwrap.dedent(text))
    return [str(path)]
