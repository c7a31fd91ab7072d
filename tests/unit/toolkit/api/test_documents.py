"""Files of results: written whole or not at all, and checked before anything runs."""

import json
import os
import stat

import pytest

from weighbridge.api import documents, job_progress
from weighbridge.api.documents import check_writable, is_standard_output, is_stream, write_file, write_json
from weighbridge.core.errors import Invalid

full_disk = OSError(28, "No space left on device")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_document_is_written_whole(tmp_path):
    write_json(tmp_path / "r.json", {"a": [1]})
    assert json.loads((tmp_path / "r.json").read_text()) == {"a": [1]}
    write_json(tmp_path / "r.json", {"a": [2]})
    assert (json.loads((tmp_path / "r.json").read_text()), names_in(tmp_path)) == ({"a": [2]}, ["r.json"])
    write_json(None, {"a": 3})
    assert names_in(tmp_path) == ["r.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch, step):
    file = tmp_path / "r.json"
    file.write_text("before")

    def fail(*_):
        raise full_disk

    monkeypatch.setattr(documents.os if step == "fsync" else documents.Path, step, fail)
    with pytest.raises(Invalid, match=r"r\.json cannot be written: No space left on device\.") as refused:
        write_file(file, b"after", field="hdr")
    assert (file.read_text(), names_in(tmp_path), refused.value.field) == ("before", ["r.json"], "hdr")


def test_the_mode_of_a_file_stays_and_a_new_one_has_the_usual_mode(tmp_path):
    old, new, usual = tmp_path / "old", tmp_path / "new", tmp_path / "usual"
    old.touch(mode=0o600)
    usual.touch()
    for file in (old, new):
        write_file(file, b"x", field="json")
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (old, new)]
    assert modes == [0o600, stat.S_IMODE(usual.stat().st_mode)]


def test_a_link_stays_and_its_file_is_written(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    check_writable(tmp_path / "link", field="json")
    write_file(tmp_path / "link", b"x", field="json")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "file").read_bytes()) == (True, b"x")


def test_a_pipe_and_a_device_are_written_to_as_they_are(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(pipe, field="json")
    write_file(pipe, b"x", field="json")
    assert (os.read(reader, 10), stat.S_ISFIFO(pipe.stat().st_mode)) == (b"x", True)
    # What `/dev/stdout` is, where standard output is a pipe: a link to nothing that has a name.
    (tmp_path / "link").symlink_to(f"/proc/self/fd/{reader}")
    check_writable(tmp_path / "link", field="json")
    write_file(tmp_path / "link", b"y", field="json")
    assert os.read(reader, 10) == b"y"
    os.close(reader)
    check_writable(documents.Path(os.devnull), field="json")
    write_file(documents.Path(os.devnull), b"x", field="json")
    assert documents.Path(os.devnull).is_char_device()


def test_what_can_be_written_is_left_as_it_was(tmp_path):
    (tmp_path / "old").write_text("before")
    for name in ("old", "new"):
        check_writable(tmp_path / name, field="json")
    assert (names_in(tmp_path), (tmp_path / "old").read_text()) == (["old"], "before")
    check_writable(None, field="json")
    check_writable(documents.Path("-"), field="json")
    assert [is_standard_output(documents.Path(name)) for name in ("-", "./r.json")] == [True, False]
    streams = [is_stream(documents.Path(name)) for name in ("-", os.devnull, tmp_path, tmp_path / "old", "none")]
    assert streams == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "why"),
    [("none/r.json", "No such file or directory"), ("folder", "Is a directory"), ("file/r.json", "Not a")],
)
def test_what_cannot_be_written_is_told_before_the_run(tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(Invalid, match=f"cannot be written: {why}.*Nothing was run; name another file") as refused:
        check_writable(tmp_path / name, field="hdr")
    assert (refused.value.field, names_in(tmp_path)) == ("hdr", ["file", "folder"])


def test_a_file_that_may_not_be_written(tmp_path, monkeypatch):
    (tmp_path / "r.json").touch()
    monkeypatch.setattr(documents.os, "access", lambda *_: False)
    with pytest.raises(Invalid, match="Permission denied"):
        check_writable(tmp_path / "r.json", field="json")


def test_without_a_temporary_folder_nothing_runs(monkeypatch):
    def fail(**_):
        raise full_disk

    monkeypatch.setattr(job_progress.tempfile, "TemporaryDirectory", fail)
    made = pytest.raises(Invalid, match=r"No temporary folder can be made: No space left on device\. Set TMPDIR")
    with made, job_progress.working_folder():
        pytest.fail("there is no folder")
