"""skops files: archives that the library writes, and hostile ones made with zipfile and by hand."""

import io
import json
import pickle
import re
import struct
import warnings
import zipfile

import numpy as np
import pytest
import skops.io
from hypothesis import given

from tests.unit.toolkit.core.model_files.samples import (
    forest_bytes,
    info,
    mutations,
    refusal_of,
    sparse_bytes,
    verdict,
)
from weighbridge.core.model_files import array_structure, skops_structure, zip_structure
from weighbridge.core.model_files.formats import ArtifactFormat

NODE = {"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic", "__loader__": "ObjectNode"}


def array_bytes(array=None):
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0) if array is None else array, allow_pickle=True)
    return buffer.getvalue()


def archive(parts=None, schema=None, *, compression=zipfile.ZIP_STORED):
    """Return an archive of parts by name; the schema names them all."""
    parts, buffer = parts or {}, io.BytesIO()
    schema = NODE | {"content": [NODE | {"file": name} for name in parts]} if schema is None else schema
    with zipfile.ZipFile(buffer, "w", compression) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in parts.items():
            made.writestr(name, content)
        made.writestr("schema.json", schema if isinstance(schema, bytes) else json.dumps(schema))
    return buffer.getvalue()


def test_what_the_library_writes_is_let_in():
    found = info(forest_bytes(), name="model.onnx")
    assert found.format is ArtifactFormat.SKOPS
    assert "sklearn.ensemble._forest.RandomForestClassifier" in found.facts["types"]
    assert "sklearn.tree._tree.Tree" in found.facts["types"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_sparse_matrices_bytes_and_functions_are_let_in(compression):
    types = info(sparse_bytes(compression)).facts["types"]
    assert {"scipy.sparse._csr.csr_matrix", "numpy.log"} <= set(types)


class Foreign:
    """A type of no known library."""

    def __init__(self):
        self.weights = np.zeros(2)


def test_the_types_are_at_least_those_that_the_library_does_not_trust():
    content = skops.io.dumps({"own": Foreign()})
    untrusted = skops.io.get_untrusted_types(data=content)
    assert untrusted
    assert set(untrusted) <= set(info(content).facts["types"])


def test_plain_data_names_no_types():
    assert info(archive(schema=NODE | {"__module__": "builtins", "__class__": "list"})).facts == {"types": []}


@pytest.mark.parametrize(
    "dtype", ["f4", "<i8", "?", "c16", "S5", "U7", "M8[ns]", "m8[s]", "V3", [("a", "i4"), ("b", "f8", (2, 3))]]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_arrays_of_every_type_are_let_in(dtype, shape):
    assert info(archive({"1.npy": array_bytes(np.zeros(shape, dtype))})).format is ArtifactFormat.SKOPS


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n"


def npy(header=HEADER, *, version=(1, 0), data=b"\0" * 24, length=None):
    size = len(header) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", size) + header + data


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays_of_every_version_are_let_in(version):
    assert info(archive({"1.npy": npy(version=version)})).format is ArtifactFormat.SKOPS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (array_bytes(np.array([{}, 1], object)), "array of objects"),
        (array_bytes(np.array([(1, {})], [("a", "i4"), ("b", "O")])), "array of objects"),
        (npy(HEADER.replace(b"<f8", b"object")), "array of objects"),
        (npy(HEADER.replace(b"'<f8'", b"[]x")), "array of objects"),
        (npy(HEADER.replace(b"(3,)", b"(4,)")), "size of its array"),
        (npy(HEADER.replace(b"(3,)", b"(1000000000000,)")), "size of its array"),
        (npy(HEADER.replace(b"(3,)", b"(-3,)")), "size of its array"),
        (npy(HEADER.replace(b"False", b"[].x")), "size of its array"),
        (npy(version=(4, 0)), "not an array of NumPy"),
        (npy(length=10_001), "not an array of NumPy"),
        (b"\x93NUMPY\1", "not an array of NumPy"),
        (b"x" * 50, "not an array of NumPy"),
        (pickle.dumps([1.0]), "not an array of NumPy"),
    ],
)
def test_parts_that_are_no_arrays_of_numbers_are_refused(content, words):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refusal = refusal_of(archive({"1.npy": content}, compression=compression))
        assert refusal.code == "damaged_artifact"
        assert words in refusal.reason


def zipped(parts, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"1.pkl": pickle.dumps(1)}, "may be a pickle"),
        ({"1.bin": pickle.dumps([1])}, "may be a pickle"),
        ({"1.bin": zipped({"a": b""})}, "may be a pickle"),
        ({"1.bin": b"\x78\x9cabc"}, "may be a pickle"),
        ({"data": b"abc"}, "may be a pickle"),
        ({"1.npz": b"abc"}, "truncated"),
        ({"1.npz": zipped({"a.pkl": pickle.dumps(1)})}, "holds more than arrays"),
        ({"1.npz": zipped({"a.npy": pickle.dumps(1)})}, "not an array of NumPy"),
        ({"../1.npy": array_bytes()}, "not one of a plain file"),
        ({"a/1.npy": array_bytes()}, "not one of a plain file"),
        ({".npy": array_bytes()}, "not one of a plain file"),
        ({"a.npy": array_bytes(), "A.npy": array_bytes()}, "have one name"),
    ],
)
def test_parts_that_may_hold_code_are_refused(parts, words):
    assert words in refusal_of(archive(parts)).reason


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (b"[1", "not valid JSON"),
        (b"[1]", "describes no object"),
        (b"{}", "describes no object"),
        (NODE | {"__class__": 5}, "has no __class__"),
        (NODE | {"__module__": "x" * 201}, "has no __module__"),
        (NODE | {"__class__": "a b"}, "names a type that is none"),
        (NODE | {"file": "9.npy"}, "parts are not those"),
        (NODE | {"file": ["9.npy"]}, "has no file"),
    ],
)
def test_schemas_are_strict(schema, words):
    assert words in refusal_of(archive(schema=schema)).reason


def test_a_part_that_the_schema_does_not_name_is_refused():
    assert "parts are not those" in refusal_of(archive({"1.npy": array_bytes()}, NODE)).reason


def test_an_archive_needs_its_schema():
    assert "has no schema.json" in refusal_of(zipped({"my-schema.json": b"{}"})).reason


def test_an_archive_that_names_no_schema_is_refused_as_before():
    refusal = refusal_of(zipped({"data.pkl": pickle.dumps(1)}))
    assert (refusal.code, "zip archive, as torch.save" in refusal.reason) == ("unsafe_artifact", True)


# The archive itself ---------------------------------------------------------------------------------------------------

SOUND = archive({"1.npy": array_bytes()})
DIRECTORY = SOUND.index(b"PK\x01\x02")


def patched(offset, value, *, start=DIRECTORY, size=2):
    """Return the archive with a number of the first entry of its directory replaced."""
    content = bytearray(SOUND)
    content[start + offset : start + offset + size] = value.to_bytes(size, "little")
    return bytes(content)


END = len(SOUND) - 22


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04schema.json", "truncated"),
        (SOUND[:-1], "does not end with the directory"),
        (SOUND + b"x", "does not end with the directory"),
        (patched(20, 1, start=END), "does not end with the directory"),
        (patched(4, 1, start=END), "does not match its size"),
        (patched(8, 1, start=END), "does not match its size"),
        (patched(16, 1, start=END, size=4), "does not match its size"),
        (patched(8, 0x00030003, start=END, size=4), "truncated"),
        (patched(8, 0x00010001, start=END, size=4), "directory has gaps"),
        (patched(0, 0), "not that of a zip archive"),
        (patched(32, 1), "not that of a zip archive"),
        (patched(34, 1), "not that of a zip archive"),
        (patched(8, 1), "encrypted"),
        (patched(8, 8), "has its size behind it"),
        (patched(10, 12), "packed in an unknown way"),
        (patched(24, 5, size=4), "packed in an unknown way"),
        (patched(38, 0o120777 << 16, size=4), "is not a file"),
        (patched(42, 1, size=4), "overlap or leave a gap"),
        (patched(16, 1, size=4), "differs from its entry"),
        (patched(8, 1, start=0), "differs from its entry"),
        (patched(18, 2**32 - 1, start=0, size=4), "differs from its entry"),
    ],
)
def test_archives_that_readers_disagree_about_are_refused(content, words):
    assert words in refusal_of(content).reason


def test_a_gap_before_the_directory_is_refused():
    content = bytearray(SOUND[:DIRECTORY] + b"hidden" + SOUND[DIRECTORY:])
    content[-6:-2] = (DIRECTORY + 6).to_bytes(4, "little")
    assert "overlap or leave a gap" in refusal_of(bytes(content)).reason


def test_lengths_of_eight_bytes_are_those_of_their_field():
    assert zip_structure._sizes(5, 6, b"") == (5, 6)
    none = 2**32 - 1
    assert zip_structure._sizes(none, none, struct.pack("<2H2Q", 1, 16, 7, 8)) == (8, 7)
    assert zip_structure._sizes(none, none, struct.pack("<2H2Q", 2, 16, 7, 8)) == (none, none)


def test_bombs_are_not_unpacked(monkeypatch):
    monkeypatch.setattr(zip_structure, "MOST_UNPACKED_BYTES", 1_000)
    bomb = archive({"1.bin": bytes(10_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert "unpacks to far more bytes" in refusal_of(bomb).reason


def test_parts_that_cannot_be_unpacked_are_refused():
    content = archive({"1.npy": array_bytes()}, compression=zipfile.ZIP_DEFLATED)
    start = content.index(b"1.npy") + 5
    assert "cannot be unpacked" in refusal_of(content[:start] + b"\xff\xff" + content[start + 2 :]).reason
    # A block that ends at once.
    assert "shorter than it says" in refusal_of(content[:start] + b"\x03\x00" + content[start + 2 :]).reason
    assert info(archive({"1.bin": b""}, compression=zipfile.ZIP_DEFLATED)).format is ArtifactFormat.SKOPS


def test_archives_are_bounded(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(zip_structure, "MOST_PARTS", 1)
        assert "too many parts" in refusal_of(SOUND).reason
    with monkeypatch.context() as patch:
        patch.setattr(zip_structure, "MOST_PARTS", 7)
        assert "too many parts" in refusal_of(sparse_bytes()).reason
    monkeypatch.setattr(skops_structure, "MOST_UNPACKED_BYTES", 10)
    monkeypatch.setattr(
        skops_structure._Budget, "__init__", lambda self, parts: vars(self).update(parts=parts, unpacked_bytes=10)
    )
    assert "larger than 10 bytes" in refusal_of(sparse_bytes()).reason


def test_schemas_are_bounded(monkeypatch):
    limits = skops_structure.DocumentLimits(bytes_max=20)
    monkeypatch.setattr(skops_structure, "_LIMITS", limits)
    assert "larger than 20 bytes" in refusal_of(SOUND).reason


def test_the_header_of_an_array_may_not_end(monkeypatch):
    monkeypatch.setattr(array_structure, "LONGEST_HEADER_BYTES", 30)
    assert "not an array" in refusal_of(SOUND).reason


@given(mutations(forest_bytes) | mutations(sparse_bytes) | mutations(lambda: sparse_bytes(zipfile.ZIP_DEFLATED)))
def test_nothing_but_refusals_is_raised(content):
    assert verdict(content) in {None, ArtifactFormat.SKOPS, ArtifactFormat.ONNX}


def test_a_part_that_needs_a_later_version_of_the_format_is_refused():
    entry = SOUND.index(b"PK\x01\x02")
    latest, later = (SOUND[: entry + 6] + bytes([version]) + SOUND[entry + 7 :] for version in (63, 64))
    assert verdict(latest) is ArtifactFormat.SKOPS
    assert "later version of the format" in refusal_of(later).reason


@given(mutations(lambda: SOUND))
def test_whatever_is_let_in_zipfile_reads_with_the_same_names(content):
    if verdict(content) is ArtifactFormat.SKOPS:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert "schema.json" in names
        assert all(re.fullmatch(r"[\w.-]+", name) for name in names)
