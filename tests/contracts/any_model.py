"""Models and data of many kinds, small, under the names that the page on any model uses."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
FEATURES = """
import numpy as np

def features(row):
    return {"x": np.asarray(row["samples"], np.float32), "y": row["label"]}
"""


def _value(name: str, kind: int, shape: list[object]) -> object:
    return helper.make_tensor_value_info(name, kind, shape)


def detector(path: Path) -> None:
    """Averages images of any size."""
    node = helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0)
    builders.save([node], [_value("images", FLOAT, ["n", 3, None, None])], [_value("means", FLOAT, ["n", 3])], [], path)


def recurrent(path: Path) -> None:
    """Adds the mean of each sequence, divided by the rate, to its state."""
    nodes = [
        helper.make_node("Cast", ["sr"], ["rate"], to=FLOAT),
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Div", ["mean", "rate"], ["output"]),
        helper.make_node("Add", ["state", "output"], ["stateN"]),
    ]
    inputs = [_value("input", FLOAT, ["n", "sequence"]), _value("sr", INT64, []), _value("state", FLOAT, [2, "n", 8])]
    outputs = [_value("output", FLOAT, ["n", 1]), _value("stateN", FLOAT, [2, "n", 8])]
    builders.save(nodes, inputs, outputs, [], path)


def bert(path: Path) -> None:
    """Multiplies token numbers by their mask."""
    names = ("input_ids", "attention_mask")
    inputs = [_value(name, INT64, ["n", "sequence"]) for name in names]
    builders.save(
        [helper.make_node("Mul", list(names), ["y"])], inputs, [_value("y", INT64, ["n", "sequence"])], [], path
    )


def two_heads(path: Path) -> None:
    """Scores three classes, and answers its input too."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["probabilities"]), helper.make_node("Identity", ["x"], ["again"])]
    outputs = [_value("probabilities", FLOAT, ["n", 3]), _value("again", FLOAT, ["n", 4])]
    builders.save(
        nodes, [_value("x", FLOAT, ["n", 4])], outputs, [numpy_helper.from_array(builders.WEIGHTS, "w")], path
    )


def orders(path: Path) -> None:
    """Four features and a target."""
    random = np.random.default_rng(5)
    columns = {f"feature_{place}": random.normal(size=20).astype(np.float32) for place in range(4)}
    pl.DataFrame({**columns, "returned": np.arange(20) % 3}).write_parquet(path)


def reviews(path: Path) -> None:
    """Texts."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text"])
        writer.writerows([["good shoes"], ["bad shoes"], ["good"]])


def tokenizer(path: Path) -> None:
    """Knows three words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"[UNK]": 0, "good": 1, "bad": 2, "shoes": 3}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(path))


def photos(path: Path) -> None:
    """Two classes of images of different sizes."""
    from PIL import Image

    for place, name in enumerate(("bag", "shoe", "bag", "shoe")):
        (path / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30 + place, 40), (place * 60, 9, 200)).save(path / name / f"{place}.png")


def calls(path: Path) -> None:
    """Sounds as lists of numbers."""
    rows = [{"samples": [0.1 * place] * 8, "label": place % 2} for place in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def preprocessing(path: Path) -> None:
    """The function that the page names."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(FEATURES)


def kept(path: Path) -> None:
    """The result of an earlier run of the same model."""
    from weighbridge import profile

    model, data = builders.classifier(path.with_name("earlier.onnx")), builders.data_set(path.with_name("earlier.npz"))
    path.write_text(json.dumps(profile(model, data=data, samples=200, operators=False).document))


FILES: Mapping[str, Callable[[Path], object]] = {
    "encoder.onnx": lambda path: builders.identity(path, shape=["n", "sequence"]),
    "detector.onnx": detector,
    "silero_vad.onnx": recurrent,
    "bert.onnx": bert,
    "classifier.onnx": two_heads,
    "model.onnx": builders.classifier,
    "test.npz": builders.data_set,
    "orders.parquet": orders,
    "reviews.csv": reviews,
    "tokenizer.json": tokenizer,
    "photos": photos,
    "calls.jsonl": calls,
    "shop/audio.py": preprocessing,
}
