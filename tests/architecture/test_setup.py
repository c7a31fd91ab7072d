"""What starts the project: the bootstrap, the entry point of the image, and the requirements agree with one another."""

import re
import subprocess

import pytest

from tests.architecture.tree import ROOT


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    named = (re.sub(r"\[.*?\]", "", line) for line in lines if "==" in line and not line.startswith("#"))
    return dict(line.split(" ")[0].split("==") for line in named)


@pytest.mark.parametrize("script", ["requirements/bootstrap.sh", "tests/run.sh", ".ci/run", "docker/entrypoint.sh"])
def test_shell_scripts_parse(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script], check=False, capture_output=True).stderr == b""


@pytest.mark.parametrize("script", ["requirements/bootstrap.sh", "docker/entrypoint.sh"])
def test_a_missing_argument_is_told(script: str) -> None:
    ended = subprocess.run(["bash", ROOT / script], check=False, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode > 0
    assert "usage: " in ended.stderr


def test_each_set_of_requirements_holds_the_smaller_one_at_the_same_version() -> None:
    base, bench, dev = pins("base"), pins("bench"), pins("dev")
    assert len(base) > 20
    assert base.items() <= bench.items() <= dev.items()


@pytest.mark.parametrize("name", ["base", "bench", "dev", "torch"])
def test_every_requirement_says_why(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if not line.startswith(("#", "-r")) and line and before.startswith("-r")
    ]
    assert bare == []
    assert lines[0].startswith(("#", "-r"))


@pytest.mark.parametrize("name", ["base", "bench", "dev"])
def test_every_pin_has_hashes_and_they_are_required(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) >= len(pins(name))
    assert [line for line in lines if not re.match(r"[\w.\[\], -]+==.* --hash=sha256:", line)] == []
    for script in ("requirements/bootstrap.sh", "docker/Dockerfile"):
        (step,) = re.findall(r"pip install [^\n]*requirements/(?:bench|\$SET)\.txt", (ROOT / script).read_text())
        assert "--require-hashes" in step


def test_torch_is_a_range_without_hashes_because_the_right_build_depends_on_the_host() -> None:
    ranges = [
        line for line in (ROOT / "requirements" / "torch.in").read_text().splitlines() if not line.startswith("#")
    ]
    assert [re.fullmatch(r"(\w+)>=\d+\.\d+,<\d+", line)[1] for line in ranges] == ["torch", "torchvision"]  # type: ignore[index]
    assert not pins("dev").keys() & {"torch", "torchvision"}
    for script in ("requirements/bootstrap.sh", "docker/Dockerfile"):
        assert "-r requirements/torch.in" in (ROOT / script).read_text()
