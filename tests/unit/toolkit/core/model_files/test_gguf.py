"""GGUF files: one that the package gguf wrote, and others built by hand from the specification."""

import struct

import pytest
from hypothesis import given

from tests.unit.toolkit.core.model_files.samples import gguf_bytes, info, mutations, refusal_of, verdict
from weighbridge.core.model_files import gguf_structure
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.core.model_files.gguf_header import TENSOR_TYPES

# GGML_QUANT_SIZES of the package gguf 0.19.0: elements and bytes of a block, by type.
RECORDED_BLOCKS = (
    "0:1:4 1:1:2 2:32:18 3:32:20 6:32:22 7:32:24 8:32:34 9:32:40 10:256:84 11:256:110 12:256:144 13:256:176 14:256:210 "
    "15:256:292 16:256:66 17:256:74 18:256:98 19:256:50 20:32:18 21:256:110 22:256:82 23:256:136 24:1:1 25:1:2 26:1:4 "
    "27:1:8 28:1:8 29:256:56 30:1:2 34:256:54 35:256:66 39:32:17 40:64:36 41:128:18"
)


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def entry(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def tensor(name="w", shape=(4,), kind=0, offset=0):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf(*parts, tensors=0, keys=0, version=3, data=b"", alignment=32):
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + b"".join(parts)
    return head + b"\0" * (-len(head) % alignment) + data if tensors else head + data


def test_a_file_of_the_package_is_let_in():
    found = info(gguf_bytes())
    assert (found.format, found.size_bytes) == (ArtifactFormat.GGUF, 704)
    assert found.facts == {
        "version": 3,
        "architecture": "llama",
        "tensors": 3,
        "tensor_types": {"F32": 1, "F16": 1, "Q8_0": 1},
        "tensor_bytes": 4 * 12 + 2 * 10 + 34 * 2,
        "parameters": 12 + 10 + 64,
        "license": "",
        "chat_template": "",
    }


def test_the_sizes_of_blocks_are_those_of_the_package():
    recorded = [tuple(map(int, each.split(":"))) for each in RECORDED_BLOCKS.split()]
    assert recorded == [(number, kind.elements, kind.size_bytes) for number, kind in TENSOR_TYPES.items()]


VALUES = [
    *(entry(f"k.{kind}", kind, b"\1" * size) for kind, size in gguf_structure._SIZES.items()),
    entry("a.text", 8, text("é")),
    entry("a.list", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
    entry("a.lists", 9, struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 5, 3) + b"\0" * 12),
    entry("general.alignment", 4, struct.pack("<I", 64)),
]


def test_every_type_of_value_is_let_in():
    made = gguf(*VALUES, tensor(), keys=len(VALUES), tensors=1, data=b"\1" * 16, alignment=64)
    facts = info(made).facts
    assert (facts["version"], facts["architecture"], facts["tensors"]) == (3, "", 1)


def test_files_without_tensors_and_of_version_two_are_let_in():
    assert info(gguf(version=2)).facts["version"] == 2
    assert info(gguf() + b"\0" * 8).facts["tensors"] == 0


def test_padding_may_follow_the_last_tensor():
    parts = tensor(), tensor("v", offset=32)
    data = b"\1" * 16 + b"\0" * 16 + b"\1" * 16
    assert info(gguf(*parts, tensors=2, data=data)).facts["tensors"] == 2
    assert info(gguf(*parts, tensors=2, data=data + b"\0" * 16)).facts["tensors"] == 2
    assert info(gguf(tensor(shape=()), tensors=1, data=b"\1" * 4)).facts["tensors"] == 1


BIG = struct.pack("<Q", 2**62)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GGUF\x03", "truncated"),
        (gguf(entry("a b", 4, b"\0" * 4), keys=1), "not text in ASCII"),
        (gguf(entry("", 4, b"\0" * 4), keys=1), "not text in ASCII"),
        (gguf(entry("a", 4, b"\0" * 4), entry("a", 4, b"\0" * 4), keys=2), "occurs twice"),
        (gguf(entry("a", 13, b"\0" * 4), keys=1), "unknown type"),
        (gguf(entry("a", 7, b"\2"), keys=1), "neither 0 nor 1"),
        (gguf(entry("a", 8, BIG), keys=1), "truncated"),
        (gguf(entry("a", 9, struct.pack("<I", 0) + BIG), keys=1), "truncated"),
        (gguf(entry("a", 9, struct.pack("<I", 8) + BIG), keys=1), "too many parts"),
        (gguf(entry("a", 9, (struct.pack("<I", 9) + struct.pack("<Q", 1)) * 9), keys=1), "unknown type"),
        (gguf(BIG, keys=1), "name in it is too long"),
        (gguf(entry("general.alignment", 4, struct.pack("<I", 24)), keys=1), "power of two"),
        (gguf(entry("general.alignment", 4, struct.pack("<I", 2**31)), keys=1), "power of two"),
        (gguf(entry("general.alignment", 10, struct.pack("<Q", 32)), keys=1), "power of two"),
        (gguf(entry("general.architecture", 8, text("a b")), keys=1), "architecture is not text"),
        (gguf(entry("general.architecture", 4, b"\0" * 4), keys=1), "architecture is not text"),
        (gguf(tensor(), tensor(offset=32), tensors=2), "have one name"),
        (gguf(tensor(shape=(1,) * 5), tensors=1), "more than 4 dimensions"),
        (gguf(tensor(kind=4), tensors=1), "unknown type"),
        (gguf(tensor(shape=(2**40, 2**40)), tensors=1), "does not match its type"),
        (gguf(tensor(shape=(33,), kind=8), tensors=1), "does not match its type"),
        (gguf(tensor(offset=32), tensors=1, data=b"\0" * 48), "overlap or leave a gap"),
        (gguf(tensor(), tensor("v", offset=16), tensors=2, data=b"\0" * 32), "overlap or leave a gap"),
        (gguf(tensor(), tensor("v", offset=32), tensors=2, data=b"\1" * 48), "overlap or leave a gap"),
        (gguf(tensor(), tensors=1, data=b"\1" * 15), "do not fill"),
        (gguf(tensor(), tensors=1, data=b"\1" * 16 + b"\0" * 17), "do not fill"),
        (gguf(tensor(), tensors=1, data=b"\1" * 17), "do not fill"),
        (gguf(data=b"hidden"), "do not fill"),
        (gguf(data=b"\0" * 40), "do not fill"),
        (b"GGUF" + struct.pack("<IQQ", 3, 10**12, 0), "too many parts"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 10**12), "too many parts"),
    ],
)
def test_damaged_files_are_refused(content, words):
    refusal = refusal_of(content)
    assert refusal.code == "damaged_artifact"
    assert words in refusal.reason


@pytest.mark.parametrize("version", [0, 1, 4, 0x03000000])
def test_other_versions_and_byte_orders_are_refused(version):
    refusal = refusal_of(gguf(version=version))
    assert (refusal.code, "versions 2 and 3" in refusal.reason) == ("artifact_version", True)


def test_texts_are_bounded_over_the_whole_file(monkeypatch):
    monkeypatch.setattr(gguf_structure, "MOST_ITEMS", 3)
    values = [entry(f"a{number}", 9, struct.pack("<IQ", 8, 2) + text("a") * 2) for number in range(2)]
    assert "too many parts" in refusal_of(gguf(*values, keys=2)).reason


@given(mutations(gguf_bytes))
def test_nothing_but_refusals_is_raised(content):
    assert verdict(content) in {None, ArtifactFormat.GGUF, ArtifactFormat.ONNX}
