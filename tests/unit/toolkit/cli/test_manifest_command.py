"""`weighbridge manifest`: the digest that it prints, the document that it writes, and the differences."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.subjects import recorded


@pytest.fixture
def repo(tmp_path):
    (tmp_path / "repo").mkdir()
    return recorded.folder(tmp_path / "repo")


def test_the_digest_is_printed_and_the_document_written(repo, tmp_path):
    done = weighbridge("manifest", repo, "--json", tmp_path / "m.json")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"sha256:{recorded.ROOT}\n", "")
    document = json.loads((tmp_path / "m.json").read_text())
    assert (document["kind"], document["name"]) == ("manifest", "repo")
    assert [each["path"] for each in document["files"]] == recorded.NAMES_IN_ORDER
    assert weighbridge("manifest", repo, "--quiet").stdout == ""


def test_a_folder_is_verified(repo, tmp_path):
    weighbridge("manifest", repo, "--json", tmp_path / "m.json")
    done = weighbridge("manifest", repo, "--verify", tmp_path / "m.json")
    assert (done.exit_code, done.stdout) == (0, f"no difference from sha256:{recorded.ROOT}\n")
    quiet = weighbridge("manifest", repo, "--verify", tmp_path / "m.json", "--quiet")
    assert (quiet.exit_code, quiet.stdout) == (0, "")
    (repo / "README.md").write_text("other")
    (repo / "new").write_text("")
    (repo / "empty").unlink()
    done = weighbridge("manifest", repo, "--verify", tmp_path / "m.json")
    assert (done.exit_code, done.stdout) == (1, "changed README.md\nmissing empty\nadded new\n")
    quiet = weighbridge("manifest", repo, "--verify", tmp_path / "m.json", "--quiet")
    assert (quiet.exit_code, quiet.stdout) == (1, "")


def test_a_statement_of_model_signing_is_verified(repo, tmp_path):
    (tmp_path / "statement.json").write_text(json.dumps(recorded.statement()))
    assert weighbridge("manifest", repo, "--verify", tmp_path / "statement.json").exit_code == 0


def test_a_manifest_in_its_folder_does_not_list_itself(repo):
    for _ in range(2):
        done = weighbridge("manifest", repo, "--json", repo / "manifest.json")
        assert done.stdout == f"sha256:{recorded.ROOT}\n"
    assert weighbridge("manifest", repo, "--verify", repo / "manifest.json").exit_code == 0


def test_paths_are_left_out(repo):
    done = weighbridge("manifest", repo, "--ignore", "sub", "--ignore", "README.md", "--json", "-")
    names = [each["path"] for each in json.loads(done.stdout)["files"]]
    assert names == [name for name in recorded.NAMES_IN_ORDER if name != "README.md" and not name.startswith("sub/")]
    assert done.stderr.startswith("sha256:")


def test_what_cannot_be_listed_is_refused(repo, tmp_path):
    assert weighbridge("manifest", tmp_path / "none").exit_code == 2
    (tmp_path / "m.json").write_text('{"kind": "file", "format": "onnx", "sha256": "%s"}' % ("0" * 64))
    done = weighbridge("manifest", repo, "--verify", tmp_path / "m.json")
    assert (done.exit_code, "compared with a manifest" in done.stderr) == (2, True)
    done = weighbridge("manifest", repo, "--verify", tmp_path / "m.json", "--json", tmp_path / "x.json")
    assert (done.exit_code, "--json is not used with --verify" in done.stderr) == (2, True)
