"""Whatever happens to the bytes of a real file, it is read or refused; nothing else is raised."""

import contextlib
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.readers.files import ALL
from weighbridge.core.errors import Refused
from weighbridge.readers.imported_result import imported_document
from weighbridge.readers.registry import READERS, read_results

FILES = [path for path in ALL if path.is_file()]
FOLDERS = [path for path in ALL if path.is_dir()]
JUNK = [b"", b"null", b"NaN", b"-1", b"1e400", b'"x"', b"[]", b"{}", b"\x00", b"\xff", b"9" * 60, b"\\ud800", b"1e-99"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8) | st.sampled_from([1e300, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def try_to_read(path, tool=None):
    with contextlib.suppress(Refused):
        json.dumps(imported_document(read_results(path, tool=tool)))


@st.composite
def damages(draw, content):
    """Cut, replace and repeat parts of the bytes."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        content = content[:start] + draw(st.sampled_from(JUNK) | st.binary(max_size=6)) + content[end:]
    return content


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@RELAXED
@given(data=st.data())
def test_damaged_bytes(tmp_path, path, data):
    damaged = tmp_path / path.name
    damaged.write_bytes(data.draw(damages(path.read_bytes())))
    try_to_read(damaged)
    try_to_read(damaged, data.draw(st.sampled_from(READERS)).name)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".json"], ids=lambda path: path.name)
@RELAXED
@given(data=st.data())
def test_values_of_other_types(tmp_path, path, data):
    document = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        place = document
        while isinstance(place, dict | list) and place:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if data.draw(st.integers(0, 3)) == 0 or not isinstance(place[key], dict | list):
                place[key] = data.draw(VALUES)
                break
            place = place[key]
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document))
    try_to_read(changed)


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
@RELAXED
@given(data=st.data())
def test_damaged_folders(tmp_path, path, data):
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    inner = data.draw(st.sampled_from(sorted(each for each in copy.rglob("*") if each.is_file())))
    inner.write_bytes(data.draw(damages(inner.read_bytes())))
    try_to_read(copy)
