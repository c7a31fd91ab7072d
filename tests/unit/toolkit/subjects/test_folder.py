"""Manifests of folders: the root digest is that of model-signing, and nothing strange is let in."""

import copy
import hashlib
import os
import pickle
import random
import socket
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.subjects import recorded
from weighbridge.core.errors import Invalid
from weighbridge.subjects import document_of, folder, parse_subject, paths, subject_of_statement
from weighbridge.subjects.folder import Change, Difference, manifest_of, verify
from weighbridge.subjects.manifest import Entry, root_digest, subject_of


@pytest.fixture
def repo(tmp_path):
    (tmp_path / "repo").mkdir()
    return recorded.folder(tmp_path / "repo")


def test_the_root_digest_is_that_of_model_signing(repo):
    found = manifest_of(repo)
    assert found.digest == f"sha256:{recorded.ROOT}"
    assert (found.kind, found.title) == ("manifest", "repo")
    assert [each["path"] for each in found.document["files"]] == recorded.NAMES_IN_ORDER
    assert {each["path"]: each["sha256"] for each in found.document["files"]} == recorded.DIGESTS
    assert found.document["files"][0]["size_bytes"] == len(recorded.FILES[".cache"])
    assert parse_subject(document_of(found)) == found


def test_a_signed_statement_is_the_manifest_of_its_folder(repo):
    found, own = subject_of_statement(recorded.statement()), manifest_of(repo)
    assert (found.digest, found.title) == (own.digest, own.title)
    assert verify(found, repo) == []
    assert parse_subject(document_of(found)) == found


def changed(path, value):
    whole = place = copy.deepcopy(recorded.statement())
    *before, last = path
    for key in before:
        place = place[key]
    place[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1", "_type"),
        (("predicateType",), "https://model_signing/Digests/v0.1", "predicateType"),
        (("subject",), [], "subject"),
        (("subject",), {}, "subject"),
        (("subject", 0, "digest", "sha256"), "0" * 64, "subject"),
        (("subject", 0, "digest", "sha256"), "0", "subject[0].digest.sha256"),
        (("predicate", "serialization", "method"), "shards", "predicate.serialization.method"),
        (("predicate", "serialization", "hash_type"), "blake3", "predicate.serialization.hash_type"),
        (("predicate", "resources"), "all", "predicate.resources"),
        (("predicate", "resources"), [], "predicate.resources"),
        (("predicate", "resources", 0), 5, "predicate.resources[0]"),
        (("predicate", "resources", 0, "algorithm"), "blake2b", "predicate.resources[0].name"),
        (("predicate", "resources", 0, "name"), 5, "predicate.resources[0].name"),
        (("predicate", "resources", 0, "name"), "../x", "predicate.resources"),
        (("predicate", "resources", 0, "digest"), "x", "predicate.resources[0].digest"),
        (("predicate", "resources", 0, "digest"), "0" * 64, "subject"),
    ],
)
def test_other_statements_are_refused(path, value, field):
    with pytest.raises(Invalid) as refusal:
        subject_of_statement(changed(path, value))
    assert refusal.value.field == field


def test_keys_that_the_version_does_not_know_are_ignored():
    assert subject_of_statement(changed(("predicate", "card"), {})).digest == f"sha256:{recorded.ROOT}"


def test_the_digest_of_one_file_is_that_of_its_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    expected = hashlib.sha256(hashlib.sha256(b"abc").digest()).hexdigest()
    assert manifest_of(tmp_path).digest == f"sha256:{expected}"


def test_differences_are_listed_by_path(repo):
    kept = manifest_of(repo)
    (repo / "README.md").write_text("other")
    (repo / "sub/a.bin").unlink()
    (repo / "new").write_text("")
    assert verify(kept, repo) == [
        Difference("README.md", Change.CHANGED),
        Difference("new", Change.ADDED),
        Difference("sub/a.bin", Change.MISSING),
    ]


def test_a_renamed_file_is_a_difference_though_the_digest_is_the_same(tmp_path):
    (tmp_path / "a").write_text("x")
    kept = manifest_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert manifest_of(tmp_path).digest == kept.digest
    assert verify(kept, tmp_path) == [Difference("a", Change.MISSING), Difference("b", Change.ADDED)]


def test_only_a_manifest_is_compared(tmp_path):
    other = parse_subject({"kind": "file", "format": "onnx", "sha256": "0" * 64})
    with pytest.raises(Invalid, match="a folder is compared with a manifest"):
        verify(other, tmp_path)


def test_paths_are_ignored_with_all_below_them(repo):
    found = manifest_of(repo, ignore=(*folder.IGNORED, "sub/deep/", "README.md"))
    names = {each["path"] for each in found.document["files"]}
    assert names == set(recorded.DIGESTS) - {"sub/deep/z.txt", "README.md"}
    everything = manifest_of(repo, ignore=())
    assert {each["path"] for each in everything.document["files"]} == set(recorded.FILES)


def link(path):
    (path.parent / "target").write_text("secret")
    path.symlink_to(path.parent / "target")


def outward(path):
    path.symlink_to("/etc/hostname")


def folder_link(path):
    path.symlink_to(path.parent)


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [link, outward, folder_link, os.mkfifo, unix_socket])
def test_links_pipes_and_sockets_are_refused(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a")
    with pytest.raises(Invalid, match="a is a link, a pipe or a device, not a file") as refusal:
        manifest_of(tmp_path)
    assert (refusal.value.code, refusal.value.field) == ("linked_artifact", "folder")


def test_files_that_cannot_be_read_are_named(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("x")

    def fail(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folder.os, "open", fail)
    with pytest.raises(Invalid, match=r"a cannot be read: Permission denied\."):
        manifest_of(tmp_path)
    monkeypatch.setattr(folder.os, "scandir", fail)
    with pytest.raises(Invalid, match=r"\. cannot be read: Permission denied\."):
        manifest_of(tmp_path)


@pytest.mark.parametrize("name", ["m.pt", "m.PTH", "sub/m.pkl", "m.pickle", "m.joblib", "m.ckpt", "m.pt2"])
def test_pickles_are_refused_by_their_suffix(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    with pytest.raises(Invalid, match="suffix of a pickle") as refusal:
        manifest_of(tmp_path)
    assert refusal.value.code == "unsafe_artifact"


@pytest.mark.parametrize("protocol", range(2, 6))
def test_pickles_are_refused_by_their_bytes(tmp_path, protocol):
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"w": [1.0]}, protocol))
    with pytest.raises(Invalid, match="holds a pickle") as refusal:
        manifest_of(tmp_path)
    assert refusal.value.code == "unsafe_artifact"


def test_an_archive_of_torch_is_a_pickle_and_a_safetensors_file_is_not(tmp_path):
    header = b'{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'.ljust(0x280)
    (tmp_path / "m.safetensors").write_bytes((0x280).to_bytes(8, "little") + header + b"ab")
    assert len(manifest_of(tmp_path).document["files"]) == 1
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    with pytest.raises(Invalid, match="holds a pickle"):
        manifest_of(tmp_path)


def test_folders_are_bounded(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    with pytest.raises(Invalid, match="nested deeper than 50 folders"):
        manifest_of(tmp_path)
    monkeypatch.setattr(paths, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text("")
    with pytest.raises(Invalid, match="more than 2 files"):
        manifest_of(tmp_path, ignore=("d",))


def test_a_folder_must_be_there_and_have_files(tmp_path):
    with pytest.raises(Invalid, match="There is no folder"):
        manifest_of(tmp_path / "none")
    with pytest.raises(Invalid, match="There are no files"):
        manifest_of(tmp_path)


def test_names_that_other_systems_cannot_hold_are_refused(tmp_path):
    (tmp_path / "a\nb").write_text("")
    with pytest.raises(Invalid, match="control character"):
        manifest_of(tmp_path)
    (tmp_path / "a\nb").rename(tmp_path / "A")
    (tmp_path / "a").write_text("")
    with pytest.raises(Invalid, match="only by case"):
        manifest_of(tmp_path)


def test_a_folder_with_an_unusual_name_has_no_name(tmp_path):
    made = tmp_path / "a\nb"
    made.mkdir()
    (made / "x").write_text("")
    found = manifest_of(made)
    assert "name" not in found.document
    assert found.title == f"1 files {found.digest[7:19]}"


# Documents ------------------------------------------------------------------------------------------------------------


def manifest(*names, **fields):
    files = [{"path": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in names]
    return {"kind": "manifest", "files": files} | fields


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "a/./b",
        "../a",
        "a/../b",
        "a\\b",
        "a\0",
        "a\x1f",
        "a\x7f",
        "a\u202eb",
        "a\u2028b",
        "x" * 1001,
    ],
)
def test_paths_that_lead_elsewhere_or_hide_something_are_refused(path):
    with pytest.raises(Invalid):
        parse_subject(manifest(path))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a", "a"), "occurs twice"),
        (("a", "a/b"), "is a file and a folder"),
        (("a/b", "a"), "is a file and a folder"),
        (("Ab/x", "aB/y"), "aB differs from another path only by case"),
        (("a/Ab/x", "a/aB/y"), "a/aB differs from another path only by case"),
        (("ß", "ss"), "differs from another path only by case"),
        (("é", "e\u0301"), "only by case or by the form"),
    ],
)
def test_paths_are_apart_on_every_system(names, words):
    with pytest.raises(Invalid, match=words):
        parse_subject(manifest(*names))


def test_paths_are_bounded(monkeypatch):
    with pytest.raises(Invalid, match="nested deeper than 50 folders"):
        parse_subject(manifest("a/" * 50 + "b"))
    monkeypatch.setattr(paths, "MOST_FILES", 2)
    with pytest.raises(Invalid, match="more than 4 files and folders"):
        parse_subject(manifest("a/b/c/d", "e"))


def test_files_in_one_folder_are_apart():
    assert len(parse_subject(manifest("a/b", "a/c", "a-b")).document["files"]) == 3


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (manifest() | {"kind": "file"}, "format"),
        (manifest("a", files="a"), "files"),
        (manifest("a", files=[5]), "files[0]"),
        (manifest("a", files=[{"path": 5, "sha256": "0" * 64}]), "files[0].path"),
        (manifest("a", files=[{"path": "a", "sha256": "A" * 64}]), "files[0].sha256"),
        (manifest("a", files=[{"path": "a", "sha256": "0" * 64, "size_bytes": -1}]), "files[0].size_bytes"),
        (manifest("a", files=[{"path": "a", "sha256": "0" * 64, "mode": 1}]), "files[0].mode"),
        (manifest("a", name="x" * 201), "name"),
        (manifest("a", more=1), "more"),
        (manifest(), "files"),
        (manifest("a", files=[{}] * 100_001), "files"),
    ],
)
def test_documents_are_strict(document, field):
    with pytest.raises(Invalid) as refusal:
        parse_subject(document)
    assert refusal.value.field == field


ENTRIES = st.lists(
    st.tuples(st.text("abc-./", min_size=1, max_size=8), st.binary(min_size=32, max_size=32)), min_size=1, max_size=8
)


@given(ENTRIES, st.randoms())
def test_order_decides_nothing_and_every_byte_decides(files, chance):
    entries = [Entry(path, f"sha256:{digest.hex()}") for path, digest in files]
    try:
        found = subject_of(entries)
    except Invalid:
        return
    shuffled = random.Random(chance.random()).sample(entries, len(entries))
    assert subject_of(shuffled) == found
    place = chance.randrange(len(entries))
    digest = bytearray.fromhex(entries[place].digest[7:])
    digest[chance.randrange(32)] ^= chance.randrange(1, 256)
    assert (
        root_digest([*entries[:place], Entry(entries[place].path, f"sha256:{digest.hex()}"), *entries[place + 1 :]])
        != found.digest
    )
    assert parse_subject(document_of(found)) == found
