"""What is kept of a GGUF header, and that hostile headers are refused in little time and memory."""

import random
import struct
import time
import tracemalloc
from hashlib import sha256

import pytest

from tests.unit.toolkit.core.model_files.samples import gguf_bytes, refusal_of
from tests.unit.toolkit.core.model_files.test_gguf import entry, gguf, tensor, text
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files import gguf_header, gguf_structure
from weighbridge.core.model_files.gguf_header import TENSOR_TYPES
from weighbridge.core.model_files.gguf_structure import check_gguf
from weighbridge.core.model_files.inspection import read_gguf

HOSTILE = 200
MOST_SECONDS, MOST_BYTES = 0.05, 50_000_000


def u32(value):
    return struct.pack("<I", value)


def listed(kind, *values, layout):
    return struct.pack("<IQ", kind, len(values)) + b"".join(struct.pack(layout, value) for value in values)


def header(*entries, tensors=()):
    data = b"\1" * 16 + b"\0" * 16
    content = gguf(*entries, *tensors, keys=len(entries), tensors=len(tensors), data=data * len(tensors))
    return check_gguf(memoryview(content), name="m.gguf")


def test_names_of_types_are_those_of_the_package():
    from gguf.constants import GGMLQuantizationType

    assert {kind.value: kind.name for kind in GGMLQuantizationType} == {
        number: kind.name for number, kind in TENSOR_TYPES.items()
    }


def test_texts_numbers_and_lists_are_kept():
    found = header(
        entry("general.name", 8, text(" Tiny\0Model ")),
        entry("general.license", 8, text("mit")),
        entry("general.architecture", 8, text("llama")),
        entry("tokenizer.chat_template", 8, text("{{ x }}")),
        entry("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
        entry("llama.block_count", 4, u32(2)),
        entry("llama.attention.head_count_kv", 9, listed(5, 1, 0, layout="<i")),
        entry("llama.attention.sliding_window_pattern", 9, listed(7, True, False, layout="<?")),
        entry("llama.attention.scale", 4, u32(9)),
        entry("llama.vocab_size", 9, struct.pack("<IQ", 8, 1) + text("a")),
        tensors=(tensor("output.weight"), tensor("blk.0.ffn_up_exps.weight", offset=32)),
    )
    assert (found.name, found.license, found.architecture) == ("Tiny\ufffdModel", "mit", "llama")
    assert found.chat_template == f"sha256:{sha256(b'{{ x }}').hexdigest()}"
    assert found.vocabulary == 2
    assert found.numbers == {
        "llama.block_count": 2,
        "llama.attention.head_count_kv": (1, 0),
        "llama.attention.sliding_window_pattern": (True, False),
    }
    assert (found.tensors, found.types, found.tensor_bytes, found.parameters) == (2, {"F32": 2}, 32, 8)
    assert (found.expert_parameters, found.has_output) == (4, True)


def test_without_keys_nothing_is_kept():
    found = header()
    assert (found.name, found.vocabulary, found.numbers, found.parameters) == ("", None, {}, 0)
    assert not found.has_output


def test_long_texts_are_cut_and_long_lists_are_not_kept(monkeypatch):
    monkeypatch.setattr(gguf_structure, "LONGEST_LIST", 1)
    found = header(
        entry("general.name", 8, text("n" * 5_000)),
        entry("llama.block_count", 9, listed(4, 1, 2, layout="<I")),
        entry("general.license", 4, u32(1)),
    )
    assert (len(found.name), found.numbers, found.license) == (1_000, {}, "")


def test_a_template_is_bounded():
    template = "x" * (gguf_header.LONGEST_TEMPLATE_BYTES + 1)
    with pytest.raises(Invalid, match="more than 1,000,000 bytes"):
        header(entry("tokenizer.chat_template", 8, text(template)))


def test_only_a_gguf_file_has_a_header(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(Invalid, match="is no GGUF file") as refusal:
        read_gguf(path, name="m.gguf")
    assert refusal.value.code == "artifact_form"
    path.write_bytes(gguf_bytes())
    assert read_gguf(path, name="m.gguf").architecture == "llama"


def hostile(chance):
    """A header whose claims exceed its file, one of nine kinds, with random sizes."""
    huge = struct.pack("<Q", chance.choice([2**63, 2**62, 2**40, 2**32, 10**7]) + chance.randrange(1000))
    many = struct.pack("<Q", chance.randrange(10**5, 10**6))
    match chance.randrange(9):
        case 0:
            return b"GGUF" + struct.pack("<I", 3) + huge + huge
        case 1:
            return gguf(entry("llama.block_count", 9, u32(chance.choice([0, 4, 8, 9, 10])) + huge), keys=1)
        case 2:
            return gguf(entry("tokenizer.ggml.tokens", 9, u32(8) + many) + text("t") * 1000, keys=1)
        case 3:
            return gguf(entry(chance.choice(["general.name", "tokenizer.chat_template"]), 8, huge), keys=1)
        case 4:
            return gguf(huge + b"k", keys=1)
        case 5:
            return gguf(tensor(shape=(chance.randrange(2**20, 2**40), 2**20)), tensors=1)
        case 6:
            return gguf(tensor(offset=32 * chance.randrange(1, 2**40)), tensors=1, data=b"\0" * 64)
        case 7:
            nested = b"".join(u32(9) + struct.pack("<Q", 1) for _ in range(chance.randrange(5, 10**4)))
            return gguf(entry("a.b", 9, nested), keys=1)
        case _:
            return gguf(tensor("t"), tensors=chance.randrange(2, 10**5), keys=chance.choice([0, 10**4]))


def test_two_hundred_hostile_headers_are_refused_at_once():
    chance = random.Random(20_261_128)
    for _ in range(HOSTILE):
        content = memoryview(hostile(chance))
        tracemalloc.start()
        begin = time.process_time()
        with pytest.raises(Invalid):
            check_gguf(content, name="m.gguf")
        seconds = time.process_time() - begin
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (seconds < MOST_SECONDS, peak < MOST_BYTES) == (True, True)


def test_a_vocabulary_is_walked_through_quickly():
    tokens = text("token") * 300_000
    content = gguf(entry("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 300_000) + tokens), keys=1)
    begin = time.process_time()
    assert check_gguf(memoryview(content), name="m.gguf").vocabulary == 300_000
    assert time.process_time() - begin < 2
    assert "truncated" in refusal_of(content[:-3]).reason
    assert "truncated" in refusal_of(content[:-9]).reason
