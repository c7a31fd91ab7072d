"""The command line: what it prints, and its exit codes."""

import json
import resource
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.toolkit import builders
from weighbridge.cli import app as cli
from weighbridge.systems.sandbox import isolated, operators

ROOT = Path(__file__).parents[4]


def weighbridge(*arguments, env=None):
    clean = {"WEIGHBRIDGE_URL": "", "WEIGHBRIDGE_TOKEN": ""}
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env={**clean, **(env or {})})


@pytest.mark.parametrize(
    "group", [(), ("feed",), ("request",), ("result",), ("prices",), ("cost",), ("usage",), ("workloads",)]
)
def test_no_summary_of_a_command_is_cut_off(group):
    done = weighbridge(*group, "--help", env={"COLUMNS": "80"})
    rows = done.stdout.partition("Commands:\n")[2].splitlines()
    assert rows
    assert [row for row in rows if row.endswith("...") or len(row) > 80] == []


def children_s():
    """The processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_quick_and_loads_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "weighbridge", "--help"]
    times = []
    for _ in range(3):
        before_s = children_s()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        times.append(children_s() - before_s)
    assert "profile" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert loaded.isdisjoint(
        {
            "numpy",
            "scipy",
            "onnx",
            "onnxruntime",
            "torch",
            "rich",
            "yaml",
            "django",
            "cryptography",
            "importlib.resources",
            "tempfile",
        }
    )
    assert min(times) < 0.3 * 3  # import timing is on, and the machine is shared; `make bench` holds 0.3 s


def test_the_module_runs_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["weighbridge", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("weighbridge", run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: weighbridge")


@pytest.mark.slow
def test_a_profile_from_file_to_table(tmp_path):
    model, data, result = (
        builders.classifier(tmp_path / "m.onnx"),
        builders.data_set(tmp_path / "d.npz"),
        tmp_path / "r.json",
    )
    done = weighbridge("profile", model, "--data", data, "--samples", 700, "--json", result)
    written = json.loads(result.read_text())
    assert written["metrics"]["accuracy"]["value"] == 0.9
    assert written["manifest"]["settings"]["scenario"]["min_samples"] == 700
    assert done.exit_code == (1 if written["verdict"]["status"] == "invalid" else 0)
    assert f"verdict: {written['verdict']['status']}" in done.stdout
    assert "accuracy" in done.stdout


@pytest.fixture
def answered(monkeypatch):
    """Let a profile behind the fence answer, or raise, what a test says."""

    def use(answer):
        def run(*_, **__):
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(isolated, "run_sandboxed", run)
        monkeypatch.setattr(operators, "operators_isolated", lambda **_: None)

    return use


@pytest.mark.parametrize(("status", "code"), [("valid", 0), ("indicative", 0), ("invalid", 1)])
def test_the_verdict_decides_the_exit_code(answered, status, code):
    answered({"verdict": {"status": status}, "missing": []})
    done = weighbridge("profile", "m.onnx", "--quiet")
    assert (done.exit_code, done.output) == (code, "")


def test_an_interrupted_profile_is_neither_yes_nor_no(answered):
    answered(KeyboardInterrupt())
    done = weighbridge("profile", "m.onnx", "--quiet")
    assert (done.exit_code, done.stderr) == (130, "weighbridge: Interrupted; the run was stopped and has no result.\n")


def test_bad_input_is_a_sentence_and_exit_code_two(tmp_path, answered):
    missing = weighbridge("profile", tmp_path / "none.onnx", "--quiet")
    assert (missing.exit_code, missing.stderr) == (2, "weighbridge: There is no model file none.onnx.\n")
    few = weighbridge("profile", "m.onnx", "--samples", 0)
    assert (few.exit_code, few.stderr) == (2, "weighbridge: A run needs at least one sample.\n")
    assert weighbridge("profile").exit_code == 2
    manifest = {"engine": {"engine": "onnxruntime"}, "digest": "sha256:ab"}
    verdict = {"status": "valid", "reasons": []}
    answered({"verdict": verdict, "missing": [], "scenario": "Server", "metrics": {}, "manifest": manifest})
    unwritable = weighbridge("profile", "m.onnx", "--quiet", "--json", tmp_path)
    assert (unwritable.exit_code, "cannot be written" in unwritable.stderr) == (2, True)


REQUEST = """
title: T
purpose: P
environment: prod
business_case: B
model: {team: t, slug: s, name: n, version: v, tier: high, task: ranking, owner: ada, uri: "s3://m", sha256: ab}
"""


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ((201, {"ref": "MRR-2026-0042"}), 0, "model sha256:m\nMRR-2026-0042\n"),
        ((400, {"detail": "No such team."}), 1, "refused (400): No such team."),
        ((503, {}), 2, "refused (503)"),
        (None, 2, "does not answer"),
    ],
)
def test_a_request_is_filed(desk, tmp_path, answer, code, words):
    (tmp_path / "r.yaml").write_text(REQUEST)
    desk.answers["POST", "/base/api/v1/models/"] = (201, {"digest": "sha256:m"})
    desk.answers["POST", "/base/api/v1/requests/"] = answer
    done = weighbridge("request", "create", tmp_path / "r.yaml", "--server", desk.server.url, "--token", "t0ken")
    assert done.exit_code == code
    assert words in done.output
    assert len({headers["Idempotency-Key"].partition("-")[0] for _, _, headers, _ in desk.asked}) == 1


def test_a_request_file_that_is_wrong_is_not_sent(desk, tmp_path):
    (tmp_path / "r.yaml").write_text("title: 3")
    done = weighbridge("request", "create", tmp_path / "r.yaml", "--server", desk.server.url, "--token", "t")
    assert (done.exit_code, desk.asked) == (2, [])
    assert done.stderr.startswith("weighbridge: ")


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [((201, {"ref": "MRR-2026-0042"}), 0, "created"), ((400, {"detail": "No."}), 1, "refused"), (None, 2, "unclear")],
)
def test_a_folder_is_synced(desk, tmp_path, answer, code, outcome):
    (tmp_path / "r.yaml").write_text(REQUEST)
    desk.answers["POST", "/base/api/v1/models/"] = (201, {"digest": "sha256:m"})
    desk.answers["GET", "/base/api/v1/requests/"] = (200, {"results": [], "next": None})
    desk.answers["POST", "/base/api/v1/requests/"] = answer
    done = weighbridge("request", "sync", tmp_path, "--server", desk.server.url, "--token", "t0ken")
    assert done.exit_code == code
    assert "r.yaml" in done.output
    assert outcome in done.output


def test_a_folder_that_is_none_is_refused(desk, tmp_path):
    done = weighbridge("request", "sync", tmp_path / "none", "--server", desk.server.url, "--token", "t")
    assert (done.exit_code, desk.asked) == (2, [])
