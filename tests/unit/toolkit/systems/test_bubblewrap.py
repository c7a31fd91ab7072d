"""Which walls there are, in words and as a command line; bubblewrap itself is played by a script."""

import shutil
import sys
from pathlib import Path

import pytest

import benchmarking
import weighbridge
from weighbridge.core.converter import from_document, to_document
from weighbridge.systems.sandbox import bubblewrap
from weighbridge.systems.sandbox.bubblewrap import Layers, bubblewrap_command, layers_here, runtime_paths

# Throws its own arguments away and runs the rest.
WALL = '#!/bin/sh\nwhile [ "$1" != --chdir ]; do shift; done; shift 2; exec "$@"\n'


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def found(monkeypatch, tmp_path):
    """Let the machine have a bubblewrap that is this script."""

    def use(text):
        path = program(tmp_path / "bwrap", text) if text else None
        monkeypatch.setattr(shutil, "which", lambda _: path)
        bubblewrap._working.cache_clear()
        return path

    yield use
    bubblewrap._working.cache_clear()


@pytest.mark.parametrize(
    ("bubblewrap", "held", "words"),
    [
        (None, [], "own process group, empty environment, rlimits, wall clock"),
        (None, ["Landlock"], "Landlock, own process group, empty environment, rlimits, wall clock"),
        (
            "/usr/bin/bwrap",
            ["kernel call filter", "Landlock"],
            (
                "bubblewrap without network, Landlock, kernel call filter, own process group, empty environment, "
                "rlimits, "
                "wall clock"
            ),
        ),
        (None, ["a seal nobody knows"], "own process group, empty environment, rlimits, wall clock"),
    ],
)
def test_layers_say_what_they_are(bubblewrap, held, words):
    assert Layers(bubblewrap=bubblewrap).describe(held) == words


def test_a_seal_that_was_not_asked_for_is_not_claimed():
    assert Layers(bubblewrap=None, seals=()).describe(["Landlock"]).startswith("own process group")


def test_layers_survive_json():
    known = Layers(bubblewrap="/usr/bin/bwrap", seals=("Landlock",))
    assert from_document(Layers, {**to_document(known), "seals": ["Landlock"]}, name="layers") == known


def test_a_bubblewrap_that_works_is_used(found):
    path = found(WALL)
    assert layers_here() == Layers(bubblewrap=path)


def test_it_is_tried_once(found, tmp_path):
    found(f'#!/bin/sh\necho x >> "{tmp_path}/tries"\nexit 0\n')
    assert layers_here() == layers_here()
    assert (tmp_path / "tries").read_text() == "x\n"


@pytest.mark.parametrize(
    "text", [None, "#!/bin/sh\nexit 1\n", "#!/no/such/interpreter\n", "#!/bin/sh\nexec sleep 30\n"]
)
def test_a_bubblewrap_that_is_missing_or_may_not_work_is_not_used(found, monkeypatch, text):
    monkeypatch.setattr(bubblewrap, "PROBE_PATIENCE_S", 0.5)
    found(text)
    assert layers_here() == Layers(bubblewrap=None)


def test_the_runtime_holds_python_and_the_toolkit_and_nothing_else_of_ours():
    root, toolkit = Path(benchmarking.__file__).parent.parent, Path(weighbridge.__file__).parent
    paths = runtime_paths()
    assert toolkit in paths
    assert any(Path(sys.executable).resolve().is_relative_to(path.resolve()) for path in paths)
    for hidden in ("manage.py", "var", ".git", "config", "governance", "benchmarking/runs", "reviews"):
        assert (root / hidden).exists() or hidden in {"var", ".git"}
        assert not any((root / hidden).is_relative_to(path) for path in paths)
    assert not any(Path("/etc/passwd").is_relative_to(path) for path in paths)


def test_a_path_inside_another_is_named_once():
    paths = runtime_paths()
    assert not any(path != other and path.is_relative_to(other) for path in paths for other in paths)


def test_libraries_outside_of_pythons_own_folder_are_read_and_other_folders_of_the_path_are_not(monkeypatch, tmp_path):
    installed, other = tmp_path / "lib" / "site-packages", tmp_path / "mine"
    installed.mkdir(parents=True)
    other.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(installed), str(other)])
    assert (installed in runtime_paths(), other in runtime_paths()) == (True, False)


def test_the_command_opens_a_world_of_its_own_and_closes_it(monkeypatch, tmp_path):
    link, folder = tmp_path / "lib", tmp_path / "usr"
    folder.mkdir()
    link.symlink_to("usr/lib")
    monkeypatch.setattr(bubblewrap, "LIBRARIES", (str(link),))
    monkeypatch.setattr(bubblewrap, "runtime_paths", lambda: [link, folder])
    assert bubblewrap_command("/usr/bin/bwrap", reads=[Path("/m.onnx")]) == [
        "/usr/bin/bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--cap-drop",
        "ALL",
        "--hostname",
        "fence",
        "--symlink",
        "usr/lib",
        str(link),
        "--ro-bind",
        str(folder),
        str(folder),
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--ro-bind-try",
        "/sys/devices/system",
        "/sys/devices/system",
        "--ro-bind-try",
        "/m.onnx",
        "/m.onnx",
        "--dir",
        "/work",
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/work",
    ]
