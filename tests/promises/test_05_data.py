"""Promise 5, data sets: an archive is judged by its table of contents, two headers and its labels, read in pieces."""

import io
import pickle
import struct
import time
import zipfile

import numpy as np
import pytest
from django.conf import settings

from benchmarking.runs.domain import data_file
from tests.promises.intake_bounds import MOST_BYTES, MOST_S
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions import memory

X, Y = np.ones((5, 4), np.float32), np.zeros(5, np.int64)


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def npz(save=np.savez_compressed, **arrays):
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


def archive(entries, *, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, content in entries:
            file.writestr(name, content)
    return stream.getvalue()


def refusal(tmp_path, content):
    (tmp_path / "d").write_bytes(content)
    memory.reset_peak()
    before, begun_s = memory.peak_bytes(), time.process_time()
    with pytest.raises(Invalid) as refused:
        data_file.inspect(tmp_path / "d", limit_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"])
    assert time.process_time() - begun_s < MOST_S
    assert memory.peak_bytes() - before < MOST_BYTES
    assert refused.value.field == "file"
    return refused.value.reason


@pytest.mark.parametrize(
    "content",
    [
        npz(x=X, y=Y),
        npz(np.savez, x=X, y=Y, notes=np.arange(3)),
        npz(x=X.astype(np.float16), y=Y.astype(np.float32)),
        archive([("x.npy", npy(X, version=(2, 0))), ("y.npy", npy(Y, version=(3, 0)))]),
    ],
)
def test_arrays_of_numbers_are_let_in(tmp_path, content):
    (tmp_path / "d").write_bytes(content)
    assert data_file.inspect(tmp_path / "d", limit_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"]) is not None


def bomb(megabytes):
    """A megabyte for each kilobyte, as deflate allows."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("x.npy", "w") as entry:
            for _ in range(megabytes):
                entry.write(bytes(1_000_000))
        file.writestr("y.npy", npy(Y))
    return stream.getvalue()


def test_a_zip_bomb_is_refused_by_what_it_would_unpack_to(tmp_path, monkeypatch):
    monkeypatch.setitem(settings.WEIGHBRIDGE, "RUN_MEMORY_MB", 40)
    assert "unpacked arrays exceed 40 MB" in refusal(tmp_path, bomb(40))


def test_a_bomb_of_overlapping_entries_is_refused(tmp_path, monkeypatch):
    """Each entry of the table points to the same compressed bytes, and all of them count."""
    monkeypatch.setitem(settings.WEIGHBRIDGE, "RUN_MEMORY_MB", 40)
    plain = archive([(f"{name}.npy", bytes(5_000_000)) for name in "xyabcdefgh"], compression=zipfile.ZIP_DEFLATED)
    assert "unpacked arrays exceed" in refusal(tmp_path, plain)


def test_a_table_of_contents_without_end_is_refused_unread(tmp_path):
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    count = 3_000_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65_535, 65_535, len(entry) * count, 0, 0)
    assert "too many entries" in refusal(tmp_path, entry * count + end)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive([(f"{number}.npy", b"") for number in range(15)] + [("x.npy", b""), ("y.npy", b"")]), "at most 16"),
        (npz(x=np.array([{}, []], dtype=object), y=Y), "array x must contain only numbers"),
        (npz(x=X, y=np.array([None], dtype=object)), "array y must contain only numbers"),
        (npz(x=np.zeros(2, dtype=[("a", "f4"), ("b", "O")]), y=Y), "array x must contain only numbers"),
        (npz(x=np.array(["words"]), y=Y), "array x must contain only numbers"),
        (npz(x=X, y=Y.astype(bool)), "y contains bool"),
        (npz(x=X, y=Y[:3]), "one label each"),
        (archive([("x.npy", npy(X)), ("y.npy", npy(Y)[:-8])]), "must be an .npz file"),
        (archive([("x.npy", pickle.dumps({"a": 1})), ("y.npy", npy(Y))]), "array x must contain only numbers"),
        (archive([("x.npy", b"\x93NUMPY" + b"(" * 50_000), ("y.npy", npy(Y))]), "array x must contain only numbers"),
        (archive([("x.pkl", pickle.dumps([1])), ("y.npy", npy(Y))]), "must contain an array x"),
        (archive([("x.npy", npy(X)), ("../y.npy", npy(Y))]), "must contain an array x"),
        (pickle.dumps({"x": 1}), "must be an .npz file"),
        (npz(x=X, y=Y)[:-30], "must be an .npz file"),
        (b"PK\5\6" + b"\0" * 18, "must contain an array x"),
    ],
)
def test_other_archives_are_refused(tmp_path, content, words):
    assert words in refusal(tmp_path, content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(tmp_path):
    content = archive([("x.npy", npy(X)), ("y.npy", npy(Y)), ("x.npy", pickle.dumps([1]))])
    assert "each once" in refusal(tmp_path, content)


def fields(path):
    """Which fields are refused; whatever else is raised fails the test."""
    try:
        data_file.inspect(path, limit_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"])
    except Invalid as refused:
        return [refused.field]
    return []


@pytest.mark.parametrize("at", range(0, 1_200, 7))
def test_a_damaged_archive_raises_nothing_but_a_refusal(tmp_path, at):
    content = bytearray(npz(x=X, y=Y))
    content[at % len(content)] ^= 0xFF
    (tmp_path / "d").write_bytes(content)
    assert fields(tmp_path / "d") in ([], ["file"])
