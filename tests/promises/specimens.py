"""Small sound models of every format, made here, and ways to damage them."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Iterator

import numpy as np
import onnx  # noqa: TID253 -- tests build models
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models
from safetensors.numpy import save

from tests.unit.toolkit.core.model_files import samples
from weighbridge.core.model_files.formats import ArtifactFormat

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def _model(nodes, *, shape=(1, 4), initializers=(), functions=(), **graph) -> bytes:
    value = helper.make_tensor_value_info("x", FLOAT, shape), helper.make_tensor_value_info("y", FLOAT, None)
    made = helper.make_graph(list(nodes), "g", [value[0]], [value[1]], list(initializers), **graph)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("own", 1)]
    return helper.make_model(made, opset_imports=opsets, functions=list(functions), ir_version=9).SerializeToString()


def _array(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.arange(np.prod(shape), dtype=dtype).reshape(shape), name)


def _loop() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["still"]), helper.make_node("Add", ["sum", "sum"], ["double"])],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("double", FLOAT, None),
        ],
    )
    count = numpy_helper.from_array(np.array(3, dtype=np.int64), "n")
    return _model([helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], initializers=[count])


def _branch() -> bytes:
    def side(name):
        out = helper.make_tensor_value_info("z", FLOAT, None)
        return helper.make_graph([helper.make_node(name, ["x"], ["z"])], name, [], [out])

    choice = numpy_helper.from_array(np.array(True), "c")
    node = helper.make_node("If", ["c"], ["y"], then_branch=side("Relu"), else_branch=side("Neg"))
    return _model([node], initializers=[choice])


def _function() -> bytes:
    double = helper.make_function(
        "own", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    return _model([helper.make_node("Double", ["x"], ["y"], domain="own")], functions=[double])


def _sparse() -> bytes:
    values = helper.make_tensor("w", FLOAT, [2], [1.0, 2.0])
    sparse = helper.make_sparse_tensor(values, helper.make_tensor("i", INT64, [2], [0, 3]), [4])
    return _model([helper.make_node("Add", ["x", "w"], ["y"])], sparse_initializer=[sparse])


def _forest() -> bytes:
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[1.0, 2.0],
    )
    return _model([node])


def onnx_files() -> list[bytes]:
    """A dozen models: layers, loops, branches, functions, sparse weights, trees."""
    node = helper.make_node
    image = (1, 1, 6, 6)
    return [
        _model([node("Relu", ["x"], ["y"])]),
        _model([node("MatMul", ["x", "w"], ["y"])], initializers=[_array("w", 4, 3)]),
        _model(
            [node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, transB=1)],
            initializers=[_array("w", 3, 4), _array("b", 3)],
        ),
        _model(
            [node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])], shape=image, initializers=[_array("w", 2, 1, 3, 3)]
        ),
        _model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], shape=image),
        _model([node("Reshape", ["x", "s"], ["y"])], initializers=[numpy_helper.from_array(np.array([2, -1]), "s")]),
        _model([node("Constant", [], ["c"], value=_array("c", 4)), node("Add", ["x", "c"], ["y"])]),
        _model([node("Softmax", ["x"], ["z"], axis=-1), node("ReduceMean", ["z"], ["y"], axes=[1])]),
        _model(
            [node("Gather", ["w", "i"], ["z"]), node("Mul", ["z", "x"], ["y"])],
            initializers=[_array("w", 5, 4), _array("i", 1, dtype=np.int64)],
        ),
        _loop(),
        _branch(),
        _function(),
        _sparse(),
        _forest(),
    ]


def safetensors_files() -> list[bytes]:
    """Weights of every usual type and shape."""
    return [
        save({"w": np.arange(6, dtype=np.float32).reshape(2, 3)}),
        save({"w": np.ones((3, 3), np.float16), "b": np.zeros(3, np.int8)}, metadata={"format": "np"}),
        save({f"layer.{index}.weight": np.full((2, 2), index, np.float64) for index in range(8)}),
        save({"empty": np.zeros((0, 4), np.float32), "scalar": np.array(1, np.int64)}),
        save({"mask": np.array([True, False]), "ids": np.arange(4, dtype=np.uint32)}),
        save({}),
    ]


def _archive() -> bytes:
    """A model as skops writes it, with an array; always the same bytes."""
    node = {
        "__class__": "LogisticRegression",
        "__module__": "sklearn.linear_model._logistic",
        "__loader__": "ObjectNode",
    }
    schema = json.dumps(node | {"content": node | {"file": "1.npy"}})
    array, whole = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(200.0))
    with zipfile.ZipFile(whole, "w") as made:
        for name, content in (("1.npy", array.getvalue()), ("schema.json", schema)):
            made.writestr(zipfile.ZipInfo(name), content)
    return whole.getvalue()


def other_files() -> dict[ArtifactFormat, list[bytes]]:
    """Models of the other formats, each as its own library writes it."""
    return {
        ArtifactFormat.GGUF: [samples.gguf_bytes()],
        ArtifactFormat.SKOPS: [_archive()],
        ArtifactFormat.XGBOOST: [samples.xgboost_bytes("json"), samples.xgboost_bytes("ubj")],
        ArtifactFormat.LIGHTGBM: [samples.lightgbm_bytes()],
    }


def external(path: str) -> bytes:
    """A sound model whose weights are said to lie at `path`."""
    made = onnx.load_from_string(onnx_files()[1])
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=path)
    return made.SerializeToString()


PATHS = ("w.bin", "../../etc/passwd", "/etc/passwd", "./link", "C:\\w.bin", "a/../../b", "\0", "/proc/self/environ")


def mutations(count: int, *, seed: int) -> Iterator[bytes]:
    """Damaged files, the same ones for the same seed: one to four changes each."""
    others = [content for contents in other_files().values() for content in contents]
    originals = [*onnx_files(), *safetensors_files(), *(external(path) for path in PATHS), *others]
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        content = bytearray(originals[number % len(originals)])
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            dice.choice(CHANGES)(content, dice, originals)
        yield bytes(content)


def _at(content: bytearray, dice: random.Random) -> int:
    return dice.randrange(len(content)) if content else 0


def _flip(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    if content:
        content[_at(content, dice)] ^= 1 << dice.randrange(8)


def _byte(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    if content:
        content[_at(content, dice)] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])


def _truncate(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    del content[_at(content, dice) :]


def _cut(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    at = _at(content, dice)
    del content[at : at + dice.randint(1, 16)]


def _length(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    """A length, a count or a dimension becomes extreme."""
    at = _at(content, dice)
    number = dice.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1])
    content[at : at + dice.choice([0, 1, 4, 8])] = dice.choice([struct.pack("<Q", number), _varint(number)])


def _splice(content: bytearray, dice: random.Random, originals: list[bytes]) -> None:
    other, at = dice.choice(originals), _at(content, dice)
    begin = dice.randrange(len(other))
    content[at:at] = other[begin : begin + dice.randint(1, 64)]


def _repeat(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    content += content[_at(content, dice) :]


def _location(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    """An entry of external data with a hostile path, wherever it falls."""
    path = dice.choice(PATHS).encode()
    entry = b"\x0a\x08location\x12" + _varint(len(path)) + path
    content[_at(content, dice) : 0] = b"\x6a" + _varint(len(entry)) + entry + b"\x70\x01"


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _weights(content: bytearray, dice: random.Random, _: list[bytes]) -> None:
    """A byte near the end, where numbers lie more often than structure."""
    if content:
        content[-1 - dice.randrange(min(16, len(content)))] = dice.randrange(256)


CHANGES = (_flip, _flip, _weights, _weights, _byte, _truncate, _cut, _length, _splice, _repeat, _location)
