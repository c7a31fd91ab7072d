"""No command overwrites a file that it reads, whatever way the file is named."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.unit.toolkit import builders
from weighbridge.cli.app import app
from weighbridge.cli.exits import WRITTEN, CarefulCommand, check_files
from weighbridge.core.errors import Invalid


def commands(group, name=""):
    for each, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {each}")
        else:
            yield f"{name} {each}".strip(), command


EVERY = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_checks_its_files(name):
    assert isinstance(EVERY[name], CarefulCommand)


def test_every_parameter_that_names_a_file_to_write_is_known():
    found = {
        parameter.name
        for command in EVERY.values()
        for parameter in command.params
        if parameter.name in WRITTEN or (getattr(parameter, "help", None) or "").lower().startswith("write ")
    }
    assert found == WRITTEN


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("given").write_text("given")
    Path("linked").symlink_to("given")
    Path("folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("read", [Path("given"), "given", "name=given", ["x", "name=given"], (Path("given"),)])
@pytest.mark.parametrize("written", ["given", "./given", "linked", "folder/../given"])
def test_a_file_that_is_read_is_not_written(files, read, written):
    with pytest.raises(Invalid) as refusal:
        check_files({"data": read, "json_file": Path(written)})
    assert refusal.value.code == "overwrites"


@pytest.mark.parametrize("other", ["new", "-", "folder", "given\0"])
def test_other_files_may_be_written(files, other):
    check_files({"data": [Path("given"), "", None], "threads": 1, "json_file": Path(other), "out": None})
    check_files({"text": "new", "json_file": Path("new")})  # the text names no file
    check_files({"json_file": Path("-"), "chart": Path("-")})


def test_two_results_do_not_share_a_file(files):
    with pytest.raises(Invalid, match="Two files would be written to"):
        check_files({"json_file": Path("new"), "junit": files / "new"})


@pytest.mark.parametrize(
    "line",
    [
        "prepare-data rows.npz --out rows.npz",
        "profile m.onnx --data rows.npz --json m.onnx",
        "profile m.onnx --json r.json --markdown r.json",
        "compare m.onnx n.onnx --json n.onnx",
        "pareto a=r.json b=kept.json --json kept.json",
        "result sign kept.json --key key --out kept.json",
    ],
)
def test_commands_leave_their_files_as_they_were(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    builders.classifier(Path("m.onnx"))
    builders.classifier(Path("n.onnx"))
    builders.data_set(Path("rows.npz"))
    Path("kept.json").write_text(json.dumps({"schema": "weighbridge.result/1"}))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 2
    assert "give another name" in done.output or "a name of its own" in done.output
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
