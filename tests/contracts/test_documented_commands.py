"""Every `weighbridge` command that a page shows exists, with those options; the toolkit's pages are run as they stand."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from benchmarking.toolkit.cli import app
from tests.unit.benchmarking.toolkit import builders
from tests.unit.benchmarking.toolkit.costs.prices import builders as priced
from tests.unit.benchmarking.toolkit.tradeoff import builders as made
from tests.unit.benchmarking.toolkit.tradeoff import matrices

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*/*.md")])
FENCE = re.compile(r"^```(?:console|bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/)?weighbridge ((?:[^\\\n]|\\\n)+)$", re.MULTILINE)
# What each page's commands find in the folder they are run in. A page that is not named here talks to a server.
MATERIAL: dict[str, dict[str, Callable[[Path], object]]] = {
    "how-to/profile-a-model.md": {"model.onnx": builders.classifier, "test.npz": builders.data_set},
    "how-to/compare-models.md": {
        "model.onnx": builders.classifier,
        "smaller.onnx": builders.classifier,
        "test.npz": builders.data_set,
    },
    "how-to/choose-a-scenario.md": {"model.onnx": builders.classifier},
    "how-to/make-a-model-cheaper.md": {"model.onnx": builders.classifier, "test.npz": builders.data_set},
    "how-to/choose-a-model.md": {"candidates.json": made.candidates_file, "points.csv": made.points_file},
    "how-to/build-a-decision-matrix.md": {"matrix.yaml": matrices.matrix_file},
    "how-to/project-costs.md": {},
    "how-to/value-accuracy.md": {},
    "how-to/log-to-a-tracker.md": {"model.onnx": builders.classifier, "test.npz": builders.data_set},
    "how-to/use-the-price-book.md": {
        "lab.yaml": priced.lab_file,
        "rates.yaml": priced.rates_file,
        "models.json": priced.models_file,
    },
}
DONE_OR_DOUBTED = {0, 1}  # 1: measured, but the machine was too busy for the figures to count
# Whether a repeated run is equivalent cannot be told on a busy machine; that is an answer too.
TOLD = {"rerun": "answer: "}
# An example names an address and takes its time; a test has its own server, and less.
IN_A_TEST = {"http://127.0.0.1:8000/predict": "{url}", "60s": "2s", "1000": "100"}


def commands_of(page: Path) -> Iterator[list[str]]:
    for block in FENCE.findall(page.read_text()):
        for command in COMMAND.findall(block):
            yield shlex.split(command.replace("\\\n", " "), comments=True)


EVERY = [
    pytest.param(arguments, id=f"{page.relative_to(ROOT)}: {' '.join(arguments)[:60]}")
    for page in PAGES
    for arguments in commands_of(page)
]


def test_pages_show_commands():
    assert len(EVERY) >= 5


@pytest.mark.parametrize("arguments", EVERY)
def test_a_command_on_a_page_exists_with_its_options(arguments):
    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        name, arguments = arguments[0], arguments[1:]
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    context = command.make_context(command.name, list(arguments))  # raises for an option that does not exist
    context.close()


@pytest.mark.parametrize("name", MATERIAL)
def test_the_pages_of_the_toolkit_run_as_they_stand(name, tmp_path):
    for file, build in MATERIAL[name].items():
        build(tmp_path / file)
    commands = list(commands_of(ROOT / "docs" / name))
    assert commands, "the page shows no command"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarking.toolkit", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        told = TOLD.get(arguments[0], "\0") in done.stdout
        assert told or done.returncode in DONE_OR_DOUBTED, (
            f"weighbridge {shlex.join(arguments)}\n{done.stdout}\n{done.stderr}"
        )


def test_the_load_test_of_the_page_runs_against_a_server(tmp_path):
    arguments, _search = commands_of(ROOT / "docs" / "how-to/load-test-an-endpoint.md")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.benchmarking.toolkit.load.stand_in_server"], cwd=ROOT,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/predict"
        asked = [IN_A_TEST.get(word, word).format(url=url) for word in arguments]
        assert sum(word != given for word, given in zip(asked, arguments, strict=True)) == len(IN_A_TEST)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarking.toolkit", *asked], cwd=tmp_path, capture_output=True, text=True,
            timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode in DONE_OR_DOUBTED, done.stderr
        assert json.loads((tmp_path / "load.json").read_text())["metrics"]["response_time_p50_ms"]["n"] > 100
    finally:
        server.kill()
        server.communicate()
