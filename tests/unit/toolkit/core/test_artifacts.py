"""ONNX files are built with the onnx library and safetensors with theirs: neither is used by the code under test."""

import io
import json
import pickle
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.model_files import onnx_structure, safetensors_structure
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.core.model_files.inspection import ArtifactInfo, inspect


def found(content, *, name="model.onnx"):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return inspect(Path(file.name), name=name)


def refused(content, *, name="model.onnx"):
    with pytest.raises(Invalid) as refusal:
        found(content, name=name)
    assert refusal.value.field == "file"
    return refusal.value


def model(*nodes, functions=(), initializers=(), **graph_fields):
    from onnx import TensorProto, helper

    nodes = nodes or (helper.make_node("Relu", ["x"], ["y"]),)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(list(nodes), "g", [x], [y], list(initializers), **graph_fields)
    return helper.make_model(graph, functions=list(functions))


@cache
def onnx_bytes():
    from onnx import TensorProto, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [4], [1.0, 2.0, 3.0, 4.0])
    return model(helper.make_node("Add", ["x", "w"], ["y"]), initializers=[weights]).SerializeToString()


@cache
def safetensors_bytes():
    import numpy as np
    from safetensors.numpy import save

    return save(
        {
            "w": np.arange(6, dtype=np.float32).reshape(2, 3),
            "b": np.ones(2, np.int8),
            "e": np.zeros((0, 3), np.float16),
        },
        metadata={"format": "np"},
    )


def test_sound_files_are_known_by_their_content():
    assert found(onnx_bytes()) == ArtifactInfo(ArtifactFormat.ONNX, len(onnx_bytes()))
    assert found(safetensors_bytes()) == ArtifactInfo(ArtifactFormat.SAFETENSORS, len(safetensors_bytes()))
    assert found(onnx_bytes(), name="model.safetensors").format is ArtifactFormat.ONNX
    assert found(safetensors_bytes(), name="").format is ArtifactFormat.SAFETENSORS


@pytest.mark.parametrize("mark", [0x78, 0x80, 0x8B1F, 0x4B50])
def test_a_header_as_long_as_another_format_is_marked_is_no_other_format(mark):
    header = b'{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'.ljust(mark)
    assert found(mark.to_bytes(8, "little") + header + b"ab").format is ArtifactFormat.SAFETENSORS


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps({}))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["m.pt", "m.PTH", "m.pkl", "m.pt2", "m.joblib", "m.ckpt", "m.pickle"])
def test_files_named_like_pickles_are_refused_whatever_they_hold(name):
    refusal = refused(onnx_bytes(), name=name)
    assert refusal.code == "unsafe_artifact"
    assert "pickle" in refusal.reason
    assert "Export the model to ONNX" in refusal.reason
    assert "safetensors" in refusal.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(), "zip archive"),
        (pickle.dumps({"a": 1}, protocol=2), "a Python pickle"),
        (pickle.dumps({"a": 1}), "a Python pickle"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x78\x9cabc", "zlib"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x93NUMPY\x01", "NumPy"),
        (b"\x89HDF\r\n", "HDF5"),
    ],
)
def test_pickles_and_foreign_formats_are_refused_behind_any_name(content, words):
    refusal = refused(content)
    assert refusal.code == "unsafe_artifact"
    assert words in refusal.reason
    assert "Export the model to ONNX" in refusal.reason


@pytest.mark.parametrize(
    "content", [b"hello, world", b"\x00" * 64, pickle.dumps([1], protocol=0), b"{}", b"\x08", b"\x08\x07"]
)
def test_anything_else_is_refused(content):
    refusal = refused(content)
    assert refusal.code == "unknown_artifact"
    assert "neither an ONNX model nor a file of another accepted format" in refusal.reason


def test_empty_missing_and_unreadable_files(tmp_path):
    assert refused(b"").code == "empty_artifact"
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Invalid) as refusal:
            inspect(path, name="model.onnx")
        assert refusal.value.code == "unreadable_artifact"


# ONNX ----------------------------------------------------------------------------------------------------------------


def external(tensor):
    from onnx import TensorProto

    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def weights(name="w"):
    from onnx import TensorProto, helper

    return helper.make_tensor(name, TensorProto.FLOAT, [1], [1.0])


def with_attribute(**attributes):
    from onnx import helper

    return helper.make_node("Constant", [], ["y"], **attributes)


def subgraph(**fields):
    from onnx import helper

    return helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "inner", [], [], **fields)


def sparse(tensor):
    from onnx import TensorProto, helper

    return helper.make_sparse_tensor(tensor, helper.make_tensor("i", TensorProto.INT64, [1], [0]), [3])


def function(*nodes, domain="my.functions", name="Double"):
    from onnx import helper

    nodes = nodes or (helper.make_node("Add", ["a", "a"], ["b"]),)
    return helper.make_function(domain, name, ["a"], ["b"], list(nodes), [helper.make_opsetid("", 17)])


def training(part):
    made = model()
    getattr(made.training_info.add(), part).CopyFrom(subgraph(initializer=[external(weights())]))
    return made


@pytest.mark.parametrize(
    "build",
    [
        lambda: model(initializers=[external(weights())]),
        lambda: model(with_attribute(value=external(weights()))),
        lambda: model(with_attribute(values=[weights(), external(weights())])),
        lambda: model(with_attribute(then_branch=subgraph(initializer=[external(weights())]))),
        lambda: model(with_attribute(branches=[subgraph(), subgraph(initializer=[external(weights())])])),
        lambda: model(with_attribute(sparse_value=sparse(external(weights())))),
        lambda: model(with_attribute(sparse_values=[sparse(external(weights()))])),
        lambda: model(sparse_initializer=[sparse(external(weights()))]),
        lambda: model(functions=[function(with_attribute(value=external(weights())))]),
        lambda: training("initialization"),
        lambda: training("algorithm"),
    ],
)
def test_weights_in_other_files_are_found_wherever_they_hide(build):
    refusal = refused(build().SerializeToString())
    assert refusal.code == "external_data"
    assert "stores its weights in another file" in refusal.reason


def test_either_sign_of_external_data_is_enough():
    from onnx import TensorProto

    located, listed = weights(), weights()
    located.data_location = TensorProto.EXTERNAL
    listed.external_data.add(key="location", value="w.bin")
    assert refused(model(initializers=[located]).SerializeToString()).code == "external_data"
    assert refused(model(initializers=[listed]).SerializeToString()).code == "external_data"


def test_a_location_said_to_be_inside_is_let_in():
    from onnx import TensorProto

    inside = weights()
    inside.data_location = TensorProto.DEFAULT
    assert found(model(initializers=[inside]).SerializeToString()).format is ArtifactFormat.ONNX


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"])
def test_known_operator_domains_are_let_in(domain):
    from onnx import helper

    content = model(helper.make_node("Anything", ["x"], ["y"], domain=domain)).SerializeToString()
    assert found(content).format is ArtifactFormat.ONNX


def test_operators_that_need_a_library_are_refused():
    from onnx import helper

    foreign = helper.make_node("Evil", ["x"], ["y"], domain="my.ops")
    refusal = refused(model(foreign).SerializeToString())
    assert refusal.code == "custom_operators"
    assert "'Evil' of the domain 'my.ops'" in refusal.reason
    inner = helper.make_graph([foreign], "inner", [], [])
    assert refused(model(with_attribute(body=inner)).SerializeToString()).code == "custom_operators"
    assert refused(model(functions=[function(foreign)]).SerializeToString()).code == "custom_operators"


def test_functions_that_the_model_brings_along_are_no_foreign_operators():
    from onnx import helper

    call = helper.make_node("Double", ["x"], ["y"], domain="my.functions")
    assert found(model(call, functions=[function()]).SerializeToString()).format is ArtifactFormat.ONNX
    assert refused(model(call, functions=[function(name="Triple")]).SerializeToString()).code == "custom_operators"


@pytest.mark.parametrize("operator", ["ATen", "EPContext", "PythonOp", "PythonOpGrad"])
def test_known_operators_that_reach_outside_the_graph_are_refused_even_as_functions(operator):
    from onnx import helper

    call = helper.make_node(operator, ["x"], ["y"], domain="com.microsoft")
    own = function(domain="com.microsoft", name=operator)
    assert refused(model(call).SerializeToString()).code == "custom_operators"
    assert refused(model(call, functions=[own]).SerializeToString()).code == "custom_operators"


def field(number, wire, content=b""):
    return varint(number << 3 | wire) + content


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(number, content):
    return field(number, 2, varint(len(content)) + content)


VERSION = field(1, 0, varint(8))


def nested(levels):
    graph = b""
    for _ in range(levels):
        graph = block(1, block(5, block(6, graph)))
    return VERSION + block(7, graph)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (block(7, b""), "has no ONNX version or no graph"),
        (VERSION, "has no ONNX version or no graph"),
        (field(1, 0, varint(0)) + block(7, b""), "has no ONNX version"),
        (block(1, b"x") + block(7, b""), "has no ONNX version"),
        (VERSION + field(7, 0, varint(1)), "no graph"),
        (VERSION + field(0, 0, varint(1)), "not a protobuf message"),
        (VERSION + field(99, 3), "obsolete protobuf wire type"),
        (VERSION + field(99, 7), "obsolete protobuf wire type"),
        (VERSION + field(99, 1, b"1234567"), "truncated"),
        (VERSION + field(99, 5, b"123"), "truncated"),
        (VERSION + field(7, 2, varint(10) + b"short"), "truncated"),
        (VERSION + field(99, 0, b"\x80"), "truncated"),
        (VERSION + field(99, 0, b"\xff" * 10), "too long"),
        (nested(33), "nested too deeply"),
        (VERSION + field(2**29 + 13, 2, varint(0)) + block(7, b""), "not a protobuf message"),
        (VERSION + block(7, block(1, block(4, b"Relu") + block(4, b"Evil"))), "has two names"),
        (VERSION + block(7, block(1, block(4, b"Relu") + block(7, b"") + block(7, b"evil"))), "has two names"),
        (VERSION + block(7, block(1, block(4, b"R" * 1_001))), "operator in it is too long"),
    ],
)
def test_broken_protobuf_is_refused(content, words):
    refusal = refused(content)
    assert refusal.code == "unknown_artifact"
    assert words in refusal.reason


def test_unknown_fields_and_deep_but_bounded_graphs_are_let_in():
    content = VERSION + block(7, b"") + field(99, 1, b"12345678") + field(98, 5, b"1234") + block(97, b"x")
    assert found(content).format is ArtifactFormat.ONNX
    assert found(nested(32)).format is ArtifactFormat.ONNX


def test_a_location_that_only_a_32_bit_reader_sees_is_refused():
    tensor = field(14, 0, varint(2**32 + 1))
    assert refused(VERSION + block(7, block(5, tensor))).code == "external_data"


def test_a_tag_that_some_readers_cut_to_external_data_is_refused():
    tensor = varint((1 << 32) | (13 << 3 | 2)) + varint(2) + b"ab"
    assert "not a protobuf message" in refused(VERSION + block(7, block(5, tensor))).reason


def test_names_may_be_long_but_not_longer():
    content = VERSION + block(7, block(1, block(4, b"R" * 1_000)))
    assert found(content).format is ArtifactFormat.ONNX


def test_the_walk_is_bounded(monkeypatch):
    monkeypatch.setattr(onnx_structure, "MOST_FIELDS", 10)
    assert "too many parts" in refused(VERSION + block(7, b"") + block(99, b"") * 9).reason
    assert found(VERSION + block(7, b"") + block(99, b"") * 8).format is ArtifactFormat.ONNX


def test_numbers_one_by_one_are_passed_over_in_runs_that_are_bounded_too(monkeypatch):
    """Lists of attributes, as forests have them: floats (3d), whole numbers (40), doubles of unknown fields (51)."""
    numbers = b"\x3dabcd\x40\xff\x01\x51abcdefgh"
    content = VERSION + block(7, block(1, block(5, numbers * 10)))
    assert found(content).format is ArtifactFormat.ONNX
    monkeypatch.setattr(onnx_structure, "MOST_NUMBERS_BYTES", len(numbers) * 10)
    assert found(content).format is ArtifactFormat.ONNX
    monkeypatch.setattr(onnx_structure, "MOST_NUMBERS_BYTES", len(numbers) * 10 - 1)
    assert "too many parts" in refused(content).reason


@pytest.mark.parametrize("tail", [b"\x3dabc", b"\x40\xff", b"\x51abcdefg", b"\x40" + b"\xff" * 10 + b"\x01"])
def test_a_run_of_numbers_that_breaks_off_is_refused(tail):
    assert refused(VERSION + block(7, block(1, block(5, b"\x40\x01" * 3 + tail)))).code == "unknown_artifact"


def test_a_location_among_other_numbers_of_a_tensor_is_seen():
    tensor = field(2, 0, varint(1)) + field(14, 0, varint(1)) + field(2, 0, varint(1))
    assert refused(VERSION + block(7, block(5, tensor))).code == "external_data"


# safetensors ---------------------------------------------------------------------------------------------------------


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(begin=0, end=8, shape=(2,), dtype="F32", **fields):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end], **fields}


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        (b'{"a":', b"", "not valid JSON"),
        (b"{" + b"\xff}", b"", "not valid JSON"),
        (b'{"a":' + b"[" * 200_000, b"", "not valid JSON"),
        (b'{"a":NaN}', b"", "NaN is not a number"),
        (b'{"a":1,"a":2}', b"", "the key 'a' occurs twice"),
        ({"__metadata__": []}, b"", "metadata is not a map"),
        ({"__metadata__": {"a": 1}}, b"", "metadata is not a map"),
        ({"w": 5}, b"", "dtype, shape and data_offsets"),
        ({"w": tensor(extra=1)}, b"x" * 8, "dtype, shape and data_offsets"),
        ({"w": tensor(dtype="OBJECT")}, b"x" * 8, "unknown type"),
        ({"w": tensor(dtype=["F32"])}, b"x" * 8, "unknown type"),
        ({"w": tensor(shape=(-2,))}, b"x" * 8, "whole numbers"),
        ({"w": tensor(shape=(2.0,))}, b"x" * 8, "whole numbers"),
        ({"w": tensor(shape=(True, 2))}, b"x" * 8, "whole numbers"),
        ({"w": tensor(shape=(2**63,))}, b"x" * 8, "whole numbers"),
        ({"w": tensor() | {"shape": 2}}, b"x" * 8, "whole numbers"),
        ({"w": tensor() | {"data_offsets": [0, 4, 8]}}, b"x" * 8, "no start and end"),
        ({"w": tensor(shape=(2**40, 2**40))}, b"x" * 8, "too large"),
        ({"w": tensor(shape=(3,))}, b"x" * 8, "does not match its shape"),
        ({"w": tensor(8, 0)}, b"x" * 8, "does not match its shape"),
        ({"w": tensor(0, 1, dtype="F4", shape=(3,))}, b"x", "does not match its shape"),
        ({"w": tensor()}, b"x" * 7, "do not fill the file"),
        ({"w": tensor()}, b"x" * 9, "do not fill the file"),
        ({"w": tensor(4, 12)}, b"x" * 12, "overlap or leave a gap"),
        ({"v": tensor(), "w": tensor()}, b"x" * 8, "overlap or leave a gap"),
    ],
)
def test_damaged_safetensors_are_refused(header, data, words):
    refusal = refused(safetensors(header, data))
    assert refusal.code == "damaged_artifact"
    assert words in refusal.reason


def test_sound_headers_of_every_kind_are_let_in():
    header = {"w": tensor(), "v": tensor(8, 9, dtype="F4", shape=(2,)), "s": tensor(9, 17, dtype="I64", shape=())}
    assert found(safetensors(header, b"x" * 17)).format is ArtifactFormat.SAFETENSORS


def test_the_header_is_bounded(monkeypatch):
    monkeypatch.setattr(safetensors_structure, "MAX_HEADER_BYTES", 20)
    assert "header is too long" in refused(safetensors({"w": tensor()}, b"x" * 8)).reason


# Fuzz ----------------------------------------------------------------------------------------------------------------


@st.composite
def mutations(draw, original):
    content = bytearray(original())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["flip", "cut", "insert", "repeat"])):
            case "flip" if content:
                content[at] ^= draw(st.integers(1, 255))
            case "cut":
                del content[at : at + draw(st.integers(1, 8))]
            case "insert":
                content[at:at] = draw(st.binary(min_size=1, max_size=8))
            case _:
                content += content[at:]
    return bytes(content)


def verdict(content):
    """The format found, or None when refused with a sentence; anything else that is raised fails the test."""
    try:
        return found(content).format
    except Refused as refusal:
        return None if refusal.reason.endswith(".") else "a refusal without a sentence"


@given(st.binary(max_size=200) | mutations(onnx_bytes) | mutations(safetensors_bytes))
@example(b"\x01")
def test_nothing_but_refusals_is_raised(content):
    assert verdict(content) in {None, *ArtifactFormat}


@given(mutations(safetensors_bytes))
def test_whatever_is_let_in_as_safetensors_the_library_reads_too(content):
    from safetensors import deserialize

    if verdict(content) is ArtifactFormat.SAFETENSORS:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        assert {name for name, _ in deserialize(content)} == set(header) - {"__metadata__"}


@cache
def external_bytes():
    return model(initializers=[external(weights())]).SerializeToString()


@given(mutations(external_bytes))
def test_no_mutation_smuggles_external_data_past_us(content):
    from google.protobuf.message import DecodeError
    from onnx import ModelProto, TensorProto

    parsed = ModelProto()
    try:
        parsed.ParseFromString(content)
    except DecodeError:
        parsed = ModelProto()
    tensors = [*parsed.graph.initializer, *(each.values for each in parsed.graph.sparse_initializer)]
    if any(each.external_data or each.data_location == TensorProto.EXTERNAL for each in tensors):
        assert verdict(content) is None
