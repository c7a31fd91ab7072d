"""The registry of systems under test: a new one is one module, measured by the API and at the terminal."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import weighbridge
from weighbridge.cli import app as cli
from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import find_system, system_of
from weighbridge.systems.target import Target

pytestmark = pytest.mark.slow

ADDER = "tests.unit.toolkit.measure.adder:adder"


def test_every_system_of_the_package_is_found_by_its_name():
    kinds = {name: find_system(name).is_data_file for name in ("onnx", "torch", "http")}
    assert kinds == {"onnx": True, "torch": False, "http": False}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sleeper", r"no system 'sleeper'; use .*http, http-json, lightgbm, onnx"),
        ("no.such.module:sleeper", "no.such.module cannot be imported: ModuleNotFoundError"),
        ("json:sleeper", "no system 'json:sleeper'"),
    ],
)
def test_a_system_that_there_is_not_is_refused(name, words):
    with pytest.raises(Invalid, match=words) as refusal:
        find_system(name)
    assert refusal.value.field == "system"


def test_a_job_names_its_system_and_the_options():
    system = system_of({"system": ADDER, "options": {"size": "3"}}, ProfileSettings())
    assert system.model == {"digest": None, "size": 3}


def test_a_new_system_is_measured_through_the_api():
    result = weighbridge.profile(system=ADDER, options={"size": 2}, samples=140, operators=False)
    assert result["manifest"]["engine"] == {"engine": "adder"}
    assert result["manifest"]["isolation"] == "none, a process of its own outside every fence"
    assert result["metrics"]["latency_p50_ms"]["n"] >= 140


def test_a_new_system_is_measured_at_the_terminal(tmp_path):
    arguments = [
        "profile",
        "--system",
        ADDER,
        "--option",
        "size=4",
        "--samples",
        "140",
        "--json",
        str(tmp_path / "r.json"),
    ]
    done = CliRunner().invoke(cli.app, arguments)
    written = json.loads((tmp_path / "r.json").read_text())
    assert done.exit_code in (0, 1), done.output
    assert written["manifest"]["model"] == {"digest": None, "size": 4}
    assert "no operators: operators are timed only for ONNX files." in done.stdout


def test_a_system_of_files_without_a_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match="Give one thing to measure"):
        Target(system="onnx").measure(ProfileSettings(), follow=None, workdir=tmp_path)


@pytest.mark.parametrize("name", ["m.skops", "m.ubj", "m.txt", "m.pt2", "M.JSON"])
def test_commands_on_onnx_files_alone_say_so_and_write_nothing(name, tmp_path):
    model = tmp_path / name
    model.write_bytes(b"anything")
    for call in (
        lambda: weighbridge.compare([model, tmp_path / "b.onnx"]),
        lambda: weighbridge.optimize(model, data=tmp_path / "d.npz", out=tmp_path / "out"),
    ):
        with pytest.raises(Invalid, match="works on ONNX files alone") as refusal:
            call()
        assert refusal.value.code == "model_form"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_example_of_the_toolkits_page_is_measured(tmp_path, monkeypatch):
    page = Path(weighbridge.__file__).parents[2] / "README.md"
    (example,) = (
        text for text in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if "@register" in text
    )
    (tmp_path / "readme_example.py").write_text(example)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = weighbridge.profile(system="readme_example:mine", options={"name": "first"}, samples=200)
    assert found["manifest"]["model"] == {"digest": None, "name": "first"}
    assert found["metrics"]["latency_p50_ms"]["n"] >= 200
    assert {"metric": "model_size_mb", "message": "It has no file."} in found["missing"]
