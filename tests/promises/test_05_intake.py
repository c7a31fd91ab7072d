"""Promise 5, intake: whatever is uploaded is refused in words or let in, within 2 s and 300 MB, and nothing else is
raised.

The long form damages 5,000 files and runs every one that is let in; the short form 5,000 too, but runs a sample.
"""

import io
import json
import os
import pickle
import struct
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from onnx import TensorProto, helper  # noqa: TID253 -- tests build models

from tests.promises import harness_report, specimens
from tests.promises.intake_bounds import MOST_BYTES, MOST_S
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.core.model_files.inspection import inspect
from weighbridge.measure.conditions import memory
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunFailed, run_child

IS_LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
DAMAGED = 5_000
EXECUTED = 1_000_000 if IS_LONG else 60
SAMPLER = Path(__file__).parent / "sampler.py"


@pytest.fixture
def measured():
    """What the test did, in processor time of this process and peak of memory."""
    memory.reset_peak()
    before, begun_s = memory.peak_bytes(), time.process_time()
    yield
    assert time.process_time() - begun_s < MOST_S
    assert memory.peak_bytes() - before < MOST_BYTES


def refusal(path, *, name="model.onnx"):
    with pytest.raises(Invalid) as refused:
        inspect(path, name=name)
    assert refused.value.reason.endswith(".")
    return refused.value.code


@pytest.mark.parametrize("path", specimens.PATHS)
def test_weights_anywhere_else_are_refused(tmp_path, measured, path):
    (tmp_path / "m").write_bytes(specimens.external(path))
    assert refusal(tmp_path / "m") == "external_data"


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".bin", ""])
@pytest.mark.parametrize("protocol", range(6))
def test_pickles_under_other_names_are_refused(tmp_path, measured, suffix, protocol):
    (tmp_path / "m").write_bytes(pickle.dumps({"weights": [1.0] * 100}, protocol=protocol))
    assert refusal(tmp_path / "m", name=f"model{suffix}") in {"unsafe_artifact", "unknown_artifact"}


def test_links_are_refused(tmp_path, measured):
    (tmp_path / "m").write_bytes(specimens.onnx_files()[0])
    (tmp_path / "soft").symlink_to(tmp_path / "m")
    (tmp_path / "hard").hardlink_to(tmp_path / "m")
    assert [refusal(tmp_path / name) for name in ("soft", "hard", "m")] == ["linked_artifact"] * 3


def test_a_zip_bomb_is_not_unpacked(tmp_path, measured):
    with zipfile.ZipFile(tmp_path / "m", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data.pkl", "w") as entry:
        for _ in range(100):
            entry.write(bytes(1_000_000))
    assert refusal(tmp_path / "m") == "unsafe_artifact"


@pytest.mark.parametrize("head", [b"", b"\x08\x08\x3a\xff\xff\xff\xff\x07", (2**31).to_bytes(8, "little") + b"{"])
def test_two_gigabytes_of_nothing_are_refused_unread(tmp_path, measured, head):
    with (tmp_path / "m").open("wb") as file:
        file.write(head)
        file.truncate(2_000_000_000)
    assert refusal(tmp_path / "m") in {"unknown_artifact", "damaged_artifact"}


def block(number, content):
    length = specimens._varint(len(content))
    return specimens._varint(number << 3 | 2) + length + content


VERSION = b"\x08\x08"
MANY = 10_000_000
SMALL_PARTS = {
    "empty nodes": lambda: block(7, block(1, b"") * MANY),
    "attributes of a node": lambda: block(7, block(1, b"\x2a\x00" * MANY)),
    "strings of an attribute": lambda: block(7, block(1, block(5, b"\x4a\x00" * MANY))),
    "numbers of an attribute": lambda: block(7, block(1, block(5, b"\x40\x01" * MANY * 3))),
    "shapes of a tensor": lambda: block(7, block(5, b"\x08\x01" * MANY * 3)),
    "names of a node": lambda: block(7, block(1, b"\x22\x00" * MANY)),
    "operators": lambda: block(7, b"".join(block(1, block(4, b"%07d" % number)) for number in range(MANY // 10))),
    "external data": lambda: block(7, block(5, b"\x6a\x00" * MANY)),
    "one operator of a hundred megabytes": lambda: block(7, block(1, block(4, b"A" * 100_000_000))),
}


@pytest.fixture
def many(request, tmp_path):
    """A file of very many very small parts, written before anything is measured."""
    (tmp_path / "m").write_bytes(VERSION + SMALL_PARTS[request.param]())
    return tmp_path / "m"


@pytest.mark.parametrize("many", SMALL_PARTS, indirect=True)
def test_many_small_parts_cost_little(many, measured):
    assert refusal(many) in {"unknown_artifact", "external_data"}


def _gguf(keys, tensors, body):
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + body


def _ubjson(count, value):
    head = b"{L" + struct.pack(">q", 7) + b"learner[#L"
    return head + struct.pack(">q", count) + value * count + b"}"


def _lightgbm(tail):
    head = b"tree\nversion=v4\nmax_feature_idx=0\nfeature_names=a\nfeature_infos=none\ntree_sizes=99000000\n\nTree=0\n"
    return head + tail


def _skops(schema):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as made:
        made.writestr(
            "schema.json", b'{"__loader__":"A","__class__":"a","__module__":"a","content":[' + schema + b"1]}"
        )
    return whole.getvalue()


OTHER_PARTS = {
    "GGUF texts": lambda: _gguf(
        1, 0, struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 8, 900_000) + bytes(8) * 900_000
    ),
    "GGUF tensors": lambda: _gguf(
        0, 100_000, b"".join(struct.pack("<Q7sIQIQ", 7, b"%07d" % each, 1, 0, 0, 0) for each in range(100_000))
    ),
    "UBJSON objects": lambda: _ubjson(499_000, b"{}"),
    "UBJSON texts": lambda: _ubjson(499_000, b"SL" + struct.pack(">q", 20) + b"a" * 20),
    "JSON numbers": lambda: b'{"learner":[' + b"1," * 12_400_000 + b"x]}",
    "JSON objects": lambda: b'{"learner":[' + b'{"a":[1]},' * 160_000 + b"1]}",
    "JSON text": lambda: b'{"learner":"' + "\U0001f600".encode() + b"a" * 24_000_000 + b'"}',
    "LightGBM fields": lambda: _lightgbm(b"a=\n" * 33_000_000),
    "LightGBM numbers": lambda: _lightgbm(b"leaf_value=" + b"1 " * 49_000_000),
    "skops mappings": lambda: _skops(b'{"a":1},' * 390_000),
    "skops text": lambda: _skops(b'"' + "\U0001f600".encode() + b"a" * 24_000_000 + b'",'),
}


@pytest.fixture
def other(request, tmp_path):
    """A file of another format with very many parts, written before anything is measured."""
    (tmp_path / "m").write_bytes(OTHER_PARTS[request.param]())
    return tmp_path / "m"


@pytest.mark.parametrize("other", OTHER_PARTS, indirect=True)
def test_many_parts_of_other_formats_cost_little(other, measured):
    assert judged(other) in {"refused", ArtifactFormat.GGUF, ArtifactFormat.SKOPS}


@pytest.mark.parametrize("parts", [b"[],", b"{},", b"1.5,", b'"",', b"[", b'{"a":'])
def test_headers_that_blow_up_in_memory_cost_little(tmp_path, measured, parts):
    header = b'{"a":[' + parts * (4_999_000 // len(parts)) + b"1]}"
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header)
    assert refusal(tmp_path / "m") == "damaged_artifact"


@pytest.mark.parametrize("domain", ["my.ops", "ai.onnx.contrib", "com.microsoft.extensions", "AI.ONNX", " "])
def test_operators_of_other_domains_are_refused(tmp_path, measured, domain):
    node = helper.make_node("Evil", ["x"], ["y"], domain=domain)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    (tmp_path / "m").write_bytes(helper.make_model(helper.make_graph([node], "g", [value], [])).SerializeToString())
    assert refusal(tmp_path / "m") == "custom_operators"


def test_specimens_are_sound(tmp_path):
    for number, content in enumerate([*specimens.onnx_files(), *specimens.safetensors_files()]):
        (tmp_path / str(number)).write_bytes(content)
        expected = ArtifactFormat.ONNX if number < len(specimens.onnx_files()) else ArtifactFormat.SAFETENSORS
        assert inspect(tmp_path / str(number), name="m").format is expected
    for expected, contents in specimens.other_files().items():
        for content in contents:
            (tmp_path / "other").write_bytes(content)
            assert inspect(tmp_path / "other", name="m").format is expected
    models = [tmp_path / str(number) for number in range(len(specimens.onnx_files()))]
    assert executed(models, tmp_path / "work") == {"answered": len(models)}


def judged(path):
    """The format that is let in, or "refused"; a refusal without a sentence is neither."""
    try:
        return inspect(path, name="model.onnx").format
    except Refused as refused:
        return "refused" if refused.reason.endswith(".") else refused.reason


def damaged(folder):
    """Judge every damaged file; the models let in are kept. Nothing but a refusal may be raised, and all
    within limits.
    """
    kept, counts, slowest_s, path = [], Counter(), 0.0, folder / "m"
    for number, content in enumerate(specimens.mutations(DAMAGED, seed=5)):
        path.write_bytes(content)
        begun_s = time.process_time()
        found = judged(path)
        slowest_s = max(slowest_s, time.process_time() - begun_s)
        counts[found] += 1
        if found is ArtifactFormat.ONNX:
            kept.append(path.rename(folder / f"{number}.onnx"))
    return kept, counts, slowest_s


def executed(models, workdir):
    """Run models behind the strongest fence here and count how they ended; after a death go on with the next."""
    workdir.mkdir()
    ends = Counter()
    while models:
        said = []
        try:
            heard = run_child(
                program=[str(SAMPLER)],
                job={"models": [str(model) for model in models]},
                reads=[SAMPLER, models[0].parent],
                layers=layers_here(),
                limits=Limits(wall_s=20, cpu_s=10, memory_mb=2_000),
                threads=1,
                workdir=workdir,
                follow=(lambda _share, doing: said.append(doing), lambda: False),  # noqa: B023 -- called at once
            )
            if heard.status == 0:
                return ends + Counter(json.loads(heard.outcome))
            how = f"died with {heard.status}"
        except RunFailed as failure:
            how = failure.code
        ends += Counter({how: 1, "ran": int(said[-1])})
        models = models[int(said[-1]) + 1 :]
    return ends


def test_damaged_files_raise_nothing_but_refusals_and_those_let_in_harm_nobody(tmp_path):
    memory.reset_peak()
    before = memory.peak_bytes()
    models, counts, slowest_s = damaged(tmp_path)
    assert memory.peak_bytes() - before < MOST_BYTES
    assert slowest_s < MOST_S
    assert set(counts) == {"refused", *ArtifactFormat}
    assert min(counts.values()) > DAMAGED // 1_000, counts
    assert min(counts[kind] for kind in ("refused", ArtifactFormat.ONNX, ArtifactFormat.SAFETENSORS)) > DAMAGED // 50
    sample = models[:: max(1, len(models) // EXECUTED)]
    ends = executed(sample, tmp_path / "work")
    assert ends["answered"] + ends["ran"] > 0, ends
    harness_report.tell(
        "intake",
        __file__,
        files=DAMAGED,
        refused=counts["refused"],
        let_in=DAMAGED - counts["refused"],
        slowest_s=round(slowest_s, 3),
        peak_mb=round((memory.peak_bytes() - before) / 1_000_000),
        executed=len(sample),
        answered=ends["answered"] + ends["ran"],
    )
