"""`profile --on`: a stand-in for ssh runs the commands here, and fails in each way that ssh and the other side can."""

import dataclasses
import json
import os
import sys
import time
from pathlib import Path

import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge as command
from weighbridge.api.profiling import profile, scenario_from
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings
from weighbridge.quality.answers import AnswerSettings
from weighbridge.systems.remote import profile as remote
from weighbridge.systems.remote import ssh
from weighbridge.systems.remote.profile import arguments_of, profile_on
from weighbridge.systems.remote.ssh import RemoteHost, read_host
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed
from weighbridge.systems.target import Target

HOST = RemoteHost("board", "pi", 2222)
ROOT = Path(__file__).parents[5]
LOCAL = """#!/bin/bash
printf '%s\\n' "$*" >> {log}
for line; do :; done
TMPDIR={there} exec bash -c "$line"
"""
FAILS = "#!/bin/bash\nprintf '%s\\n' {said!r} >&2\nexit {status}\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Another machine: `ssh` runs lines here, with its temporary folders in `there`, and `weighbridge` is this one."""
    programs, there = tmp_path / "bin", tmp_path / "there"
    programs.mkdir()
    there.mkdir()
    program(programs / "ssh", LOCAL.format(log=tmp_path / "log", there=there))
    paths = f"{ROOT}:{ROOT / 'benchmarking/toolkit/src'}"
    program(programs / "weighbridge", f'#!/bin/sh\nPYTHONPATH={paths} exec {sys.executable} -m weighbridge "$@"\n')
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path


def program(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def answering(machine: Path, document: object, *, status: int = 0, error: str = "") -> None:
    """Let `weighbridge profile` on the other machine answer this document."""
    (machine / "answer.json").write_text(document if isinstance(document, str) else json.dumps(document))
    text = (
        '#!/bin/sh\nif [ "$1" = --version ]; then echo weighbridge 0.2.0; exit; fi\n'
        f"echo '{error}' >&2; cat {machine / 'answer.json'}; exit {status}\n"
    )
    program(machine / "bin" / "weighbridge", text)


def asked(machine: Path, **settings) -> tuple[Target, ProfileSettings]:
    model = builders.classifier(machine / "m.onnx")
    return Target(model=model, wall_s=60), ProfileSettings(**settings)


def honest(target: Target, settings: ProfileSettings, **changes) -> dict:
    from weighbridge.measure.conditions.model_file import digest_of_file

    described = {
        "model": {"digest": digest_of_file(target.model)},
        "data": None,
        "settings": to_document(settings),
        **changes.pop("manifest", {}),
    }
    return {
        "schema": "weighbridge.result/1",
        "verdict": {"status": "valid", "reasons": []},
        "metrics": {"latency_p50_ms": {"value": 1.0}},
        "run": {"duration_s": 0.0},
        "manifest": seal_manifest(described),
        **changes,
    }


@pytest.mark.slow
def test_a_model_is_measured_on_the_other_machine_and_nothing_stays_there(machine):
    data = builders.data_set(machine / "d.npz")
    result = profile(builders.classifier(machine / "m.onnx"), data=data, samples=140, on="ssh://pi@board:2222")
    assert result["measured_on"] == "ssh://pi@board:2222"
    assert result["metrics"]["accuracy"]["value"] == 0.9
    assert list((machine / "there").iterdir()) == []
    first = (machine / "log").read_text().splitlines()[0]
    assert first == "-o BatchMode=yes -o ConnectTimeout=15 -p 2222 -- pi@board weighbridge --version"


@pytest.mark.slow
def test_weights_beside_the_model_go_with_it(machine):
    result = profile(builders.bundle(machine / "data.onnx"), samples=140, operators=False, on="ssh://board")
    assert list(result["manifest"]["model"]["weights"]) == ["data.bin"]


@pytest.mark.slow
def test_the_command_takes_the_address(machine):
    model = builders.classifier(machine / "m.onnx")
    done = command("profile", model, "--samples", 140, "--on", "ssh://board", "--json", machine / "r.json", "--quiet")
    assert done.exit_code in {0, 1}, done.stderr
    assert json.loads((machine / "r.json").read_text())["measured_on"] == "ssh://board"
    program(machine / "bin" / "ssh", FAILS.format(said="Host key verification failed.", status=255))
    done = command("profile", model, "--on", "ssh://board")
    assert done.exit_code == 2
    assert "its host key is not known here; log in once with `ssh board`" in done.stderr


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Host key verification failed.", "its host key is not known here"),
        ("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "its host key has changed"),
        ("pi@board: Permission denied (publickey).", "does not accept your key"),
        ("ssh: connect to host board port 22: Connection refused", "ssh cannot reach pi@board: ssh: connect to host"),
        ("ssh: Could not resolve hostname board", "Could not resolve hostname"),
        ("", "it gave no reason"),
    ],
)
def test_what_ssh_says_becomes_a_sentence(machine, said, reason):
    program(machine / "bin" / "ssh", FAILS.format(said=said, status=255))
    with pytest.raises(Invalid, match=reason) as refusal:
        profile_on(HOST, *asked(machine))
    assert refusal.value.code == "ssh_failed"


def test_without_ssh_nothing_is_run(machine, monkeypatch):
    monkeypatch.setattr(ssh.shutil, "which", lambda _: None)
    with pytest.raises(Invalid, match="ssh is not installed here") as refusal:
        profile_on(HOST, *asked(machine))
    assert refusal.value.code == "ssh_missing"


def test_a_machine_without_the_toolkit_is_told(machine):
    with pytest.raises(Invalid, match=r"has no no-such-program: install the toolkit there \(version 0\.2\.0\)"):
        profile_on(HOST, *asked(machine), program="no-such-program")
    with pytest.raises(Invalid, match="has no true"):
        profile_on(HOST, *asked(machine), program="true")
    assert list((machine / "there").iterdir()) == []


def test_another_version_is_refused(machine):
    program(machine / "bin" / "weighbridge", "#!/bin/sh\necho weighbridge 0.1.9\n")
    with pytest.raises(Invalid, match=r"version 0\.1\.9 of the toolkit, but this is 0\.2\.0") as refusal:
        profile_on(HOST, *asked(machine))
    assert refusal.value.code == "remote_version"


def test_a_machine_without_room_is_told(machine):
    program(machine / "bin" / "mktemp", "#!/bin/sh\necho no room >&2\nexit 1\n")
    with pytest.raises(Invalid, match="cannot make a temporary folder: no room"):
        profile_on(HOST, *asked(machine))


@pytest.mark.parametrize("folder", ["", "relative", "/tmp/../etc", "/tmp/a; rm -rf /", "/tmp/a\n/tmp/b", "/tmp/$(id)"])
def test_a_folder_with_an_odd_name_is_not_used(machine, folder):
    program(machine / "bin" / "mktemp", f"#!/bin/bash\nprintf '%s' {folder!r}\n")
    with pytest.raises(Invalid, match="cannot make a temporary folder"):
        profile_on(HOST, *asked(machine))
    assert len((machine / "log").read_text().splitlines()) == 2


def test_a_file_that_cannot_be_copied_is_told(machine):
    target, settings = asked(machine)
    program(machine / "bin" / "cat", "#!/bin/sh\necho disk full >&2\nexit 1\n")
    with pytest.raises(Invalid, match=r"m\.onnx cannot be copied to pi@board: disk full"):
        profile_on(HOST, target, settings)
    with pytest.raises(Invalid, match=r"There is no model file none\.onnx"):
        profile_on(HOST, Target(model=machine / "none.onnx"), settings)
    assert list((machine / "there").iterdir()) == []


@pytest.mark.parametrize(
    "target", [Target(system="http", options={"url": "http://x"}), Target(model=Path("m.pt2"), options={"inputs": []})]
)
def test_only_model_files_go_to_another_machine(machine, target):
    with pytest.raises(Invalid, match="Only model files"):
        profile_on(HOST, target, ProfileSettings())
    assert not (machine / "log").exists()


def test_the_refusal_of_the_other_side_is_passed_on(machine):
    answering(machine, "", status=2, error="weighbridge: The model has no input.")
    with pytest.raises(RunFailed, match=r"On pi@board: The model has no input\.") as failure:
        profile_on(HOST, *asked(machine))
    assert failure.value.code == "remote_refused"
    answering(machine, "", status=137)
    with pytest.raises(RunFailed, match="ended with status 137"):
        profile_on(HOST, *asked(machine))


@pytest.mark.parametrize("status", [0, 1])
def test_an_honest_result_is_taken_valid_or_not(machine, status):
    target, settings = asked(machine)
    answering(machine, honest(target, settings), status=status)
    assert profile_on(HOST, target, settings)["measured_on"] == "ssh://pi@board:2222"


OTHER = ProfileSettings(tdp_w=5.0)
FORGED = {
    "no_json": lambda *_: "{",
    "a_list": lambda *_: [],
    "nan": lambda *_: '{"schema": NaN}',
    "another_schema": lambda *asked: honest(*asked, schema="weighbridge.load/1"),
    "no_verdict": lambda *asked: honest(*asked, verdict={"status": "perfect", "reasons": []}),
    "a_metric_that_is_no_number": lambda *asked: honest(*asked, metrics={"a": {"value": "1"}}),
    "another_model": lambda *asked: honest(*asked, manifest={"model": {"digest": "sha256:" + "0" * 64}}),
    "other_data": lambda *asked: honest(*asked, manifest={"data": {"digest": "sha256:" + "0" * 64}}),
    "other_settings": lambda *asked: honest(*asked, manifest={"settings": to_document(OTHER)}),
    "a_broken_seal": lambda *asked: honest(*asked) | {"manifest": {**honest(*asked)["manifest"], "engine": "x"}},
    "a_run_of_an_hour": lambda *asked: honest(*asked, run={"duration_s": 3_600}),
    "a_negative_run": lambda *asked: honest(*asked, run={"duration_s": -1}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_result_that_is_not_of_this_run_is_rejected(machine, forge):
    target, settings = asked(machine)
    answering(machine, forge(target, settings))
    with pytest.raises(RunFailed, match="From pi@board: The result of the run was rejected") as failure:
        profile_on(HOST, target, settings)
    assert failure.value.code == "run_forged"
    assert list((machine / "there").iterdir()) == []


def test_a_flood_is_stopped(machine):
    begun = time.monotonic()
    with pytest.raises(RunFailed, match="sent more than 1,000 bytes"):
        HOST.run("yes", most=1_000)
    assert time.monotonic() - begun < 10
    done = HOST.run("yes | head -c 100000 >&2")
    assert (done.output, len(done.error) <= ssh.MAX_ERROR_BYTES) == (b"", True)


def test_a_machine_that_hangs_is_left(machine):
    with pytest.raises(RunFailed, match="did not answer in time") as failure:
        HOST.run("sleep 60 & sleep 60", limit_s=0.3)
    assert failure.value.code == "run_timeout"


def test_a_run_can_be_canceled_and_its_folder_is_removed(machine):
    target, settings = asked(machine)
    program(
        machine / "bin" / "weighbridge",
        f'#!/bin/sh\n[ "$1" = --version ] && echo weighbridge 0.2.0 && exit\ntouch {machine / "begun"}\nsleep 60\n',
    )
    with pytest.raises(RunCanceled, match="The run on pi@board was canceled"):
        profile_on(HOST, target, settings, should_stop=(machine / "begun").exists)
    assert list((machine / "there").iterdir()) == []


def test_names_and_arguments_cannot_leave_their_quotes(machine):
    model = builders.classifier(machine / "$(touch owned).onnx;touch owned")
    settings = ProfileSettings(inputs=InputSettings(values={"x": "$(touch owned)'; touch owned #"}))
    answering(machine, honest(Target(model=model), settings))
    profile_on(HOST, Target(model=model, wall_s=60), settings)
    assert not list(machine.rglob("owned"))
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("ssh://board", RemoteHost("board")),
        ("ssh://pi@board:2222", RemoteHost("board", "pi", 2222)),
        ("ssh://10.0.0.7/", RemoteHost("10.0.0.7")),
        ("ssh://Board_1.lan", RemoteHost("Board_1.lan")),
    ],
)
def test_an_address_is_read(address, host):
    assert read_host(address) == host
    assert read_host(host.address) == host


@pytest.mark.parametrize(
    "address",
    [
        "",
        "board",
        "http://board",
        "ssh://",
        "ssh://-oProxyCommand=id",
        "ssh://-oProxyCommand=id@board",
        "ssh://pi:secret@board",
        "ssh://board/path",
        "ssh://board?x",
        "ssh://board#x",
        "ssh://board:0",
        "ssh://board:99999",
        "ssh://bo ard",
        "ssh://a;id",
        "ssh://a@b@board",
        "ssh://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(Invalid, match="takes an address like") as refusal:
        read_host(address)
    assert refusal.value.field == "on"


SCENARIOS = [
    scenario_from("single-stream", 150, 2, 1, 1, 10.0, None),
    scenario_from("multi-stream", None, 1, 4, 1, 10.0, None),
    scenario_from("offline", 500, 1, 16, 2, 10.0, None),
    scenario_from("server", None, 1, 1, 1, 33.25, 12.5),
    scenario_from("server", None, 1, 1, 1, 1e-3, None),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.NAME)
def test_the_arguments_give_the_same_settings_there(scenario, monkeypatch, tmp_path):
    """Whatever is asked here is asked there: the command line is read back into settings."""
    engine = RuntimeSettings(
        provider="openvino", options={"a": "b c"}, optimization="basic", inter_op_threads=2, affinity=(0, 1)
    )
    settings = ProfileSettings(
        scenario=scenario,
        engine=engine,
        inputs=InputSettings(dims={"seq": 7, "n": 0}, values={"x": "-1:9"}, state={"s": "t"}),
        answers=AnswerSettings(output="-y", scores="logits", threshold=0.25),
        metrics=("log_loss", "ece@10"),
        tdp_w=6.5,
    )
    told = {field.name for field in dataclasses.fields(ProfileSettings)}
    left = {"measures_quality", "quality_confidence", "bootstraps"}
    assert told - left == {"scenario", "engine", "inputs", "answers", "metrics", "tdp_w"}, (
        "tell the other side of it too"
    )
    seen = []
    monkeypatch.setattr(Target, "measure", lambda _self, settings, **_: seen.append(settings) or 1 / 0)
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    done = command("profile", model, "--data", data, *arguments_of(settings, has_data=True))
    assert isinstance(done.exception, ZeroDivisionError), done.stderr
    assert to_document(seen[0]) == to_document(settings)
    # Without data there is no quality to ask for.
    done = command("profile", model, *arguments_of(settings, has_data=False))
    assert isinstance(done.exception, ZeroDivisionError), done.stderr
    alone = dataclasses.replace(settings, answers=AnswerSettings(), metrics=())
    assert to_document(seen[1]) == to_document(alone)


def test_trust_operators_and_data_are_asked_for_too(machine):
    target, settings = asked(machine)
    data = builders.data_set(machine / "d.npz")
    answering(machine, honest(target, settings))
    trusted = Target(model=target.model, data=data, wall_s=30, is_trusted=True)
    with pytest.raises(RunFailed, match="it is for other data"):
        profile_on(HOST, trusted, settings, operators=False)
    line = next(line for line in (machine / "log").read_text().splitlines() if " profile " in line)
    assert line.endswith("--wall 30 --json - --trust --no-operators")
    assert "profile model/m.onnx --data data.npz" in line


def test_the_end_of_a_run_that_was_not_reached_leaves_no_process(machine):
    with pytest.raises(RunFailed):
        HOST.run(f"echo $$ > {machine / 'pid'}; sleep 60", limit_s=0.5)
    pid = int((machine / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_version_of_the_command_is_printed():
    assert command("--version").stdout == f"weighbridge {remote.metadata.version('weighbridge')}\n"
