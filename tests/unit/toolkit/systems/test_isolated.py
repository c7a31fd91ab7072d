"""A profile behind the fence, with real models: whatever they do, the parent gets an answer in words."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.builders import script
from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings, SingleStream, WarmUp
from weighbridge.systems.sandbox import bubblewrap, isolated, process
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.isolated import run_isolated
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunCallbacks, RunCanceled, RunFailed, RunIncomplete

pytestmark = pytest.mark.slow

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=700, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


def run(tmp_path, model, *, data=None, limits=None, should_stop=lambda: False, on_progress=lambda _share, _doing: None):
    return run_isolated(
        model=model,
        settings=QUICK,
        data=data,
        limits=limits or Limits(wall_s=60),
        on_progress=on_progress,
        should_stop=should_stop,
        workdir=tmp_path / "work",
    )


def test_a_system_that_runs_code_is_refused(tmp_path):
    with pytest.raises(Invalid, match="The system torch runs code, not a file of data") as refusal:
        run_isolated(
            model=tmp_path / "m.py",
            settings=QUICK,
            data=None,
            limits=Limits(wall_s=60),
            on_progress=lambda *_: None,
            should_stop=lambda: False,
            workdir=tmp_path / "work",
            system="torch",
        )
    assert refusal.value.code == "not_a_data_file"
    assert not (tmp_path / "work").exists()


def failure(*arguments, **options):
    with pytest.raises(RunFailed) as refusal:
        run(*arguments, **options)
    return refusal.value


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def started(monkeypatch):
    """Collect the numbers of the children that are started."""
    pids = []
    real = subprocess.Popen

    def remember(*arguments, **options):
        child = real(*arguments, **options)
        pids.append(child.pid)
        return child

    monkeypatch.setattr(process.subprocess, "Popen", remember)
    return pids


@pytest.fixture(params=["strongest", "without bubblewrap"])
def walls(request, monkeypatch):
    """Every layer this machine has, then as if bubblewrap were not there."""
    found = bubblewrap.layers_here() if request.param == "strongest" else Layers(bubblewrap=None)
    monkeypatch.setattr(isolated, "layers_here", lambda: found)
    return found


def test_a_model_is_profiled_in_a_process_of_its_own(tmp_path, walls, started):
    said = []
    data = builders.data_set(tmp_path / "d.npz")
    result = run(
        tmp_path, builders.classifier(tmp_path / "m.onnx"), data=data, on_progress=lambda *step: said.append(step)
    )
    assert result["schema"] == "weighbridge.result/1"
    assert result["metrics"]["accuracy"]["value"] == 0.9
    assert result["metrics"]["latency_p99_ms"]["n"] == 700
    assert result["metrics"]["peak_memory_mb"]["value"] > result["metrics"]["peak_memory_delta_mb"]["value"] > 1
    assert result["manifest"]["isolation"].endswith("own process group, empty environment, rlimits, wall clock")
    assert result["manifest"]["isolation"].startswith("bubblewrap") is (walls.bubblewrap is not None)
    assert said[-1] == (1.0, "done")
    assert [share for share, _ in said] == sorted(share for share, _ in said)
    assert not is_running(started[-1])


def test_bad_input_is_told_in_the_words_of_the_child(tmp_path, walls):
    refusal = failure(tmp_path, tmp_path / "none.onnx")
    assert (refusal.reason, refusal.code, refusal.field) == (
        "There is no model file none.onnx.",
        "model_missing",
        "model",
    )


def test_a_model_that_never_returns_is_stopped_at_the_deadline(tmp_path, started, ahead):
    beats, running = [], []

    def beat(_share, doing):
        beats.append(time.monotonic())
        if doing == "running the first inference":
            running.append(beats[-1])
            # The last of these beats come while the child is silent.
            ahead[0] = 60.0 if len(running) > 6 else 0.0

    refusal = failure(tmp_path, builders.endless(tmp_path / "m.onnx"), limits=Limits(wall_s=60), on_progress=beat)
    assert refusal.code == "run_timeout"
    assert "stopped after 60 s, while running the first inference" in refusal.reason
    assert time.monotonic() - running[-1] < 10
    assert max(after - before for before, after in itertools.pairwise(beats)) < 10
    assert not is_running(started[-1])


def test_a_model_that_eats_processor_time_is_stopped(tmp_path, walls):
    refusal = failure(tmp_path, builders.endless(tmp_path / "m.onnx"), limits=Limits(cpu_s=2, wall_s=60))
    assert (refusal.code, refusal.reason) == ("run_cpu", "The run used its 2 s of processor time and was stopped.")


def test_a_model_that_asks_for_too_much_memory_fails_in_words(tmp_path):
    refusal = failure(tmp_path, builders.hungry(tmp_path / "m.onnx"))
    assert refusal.code == "model_memory"
    assert "ran out of memory on its first inference" in refusal.reason


def test_a_process_that_cannot_have_its_memory_fails_in_words(tmp_path):
    refusal = failure(tmp_path, builders.classifier(tmp_path / "m.onnx"), limits=Limits(memory_mb=80))
    assert refusal.code == "model_memory"


def test_a_run_is_canceled(tmp_path, walls, started):
    with pytest.raises(RunCanceled):
        run(tmp_path, builders.endless(tmp_path / "m.onnx"), should_stop=lambda: True)
    assert not is_running(started[-1])


def test_what_a_callback_raises_passes_through_and_ends_the_child(tmp_path, started):
    def fail(_share, _doing):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, builders.endless(tmp_path / "m.onnx"), on_progress=fail)
    assert not is_running(started[-1])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sys.exit('no fence was told')", "run_crash"),
        ("hand_over({'result': {}})", "run_crash"),
        ("say(fence=[])\nhand_over({'result': {'schema': 'weighbridge.result/1'}})", "run_forged"),
    ],
)
def test_a_child_that_says_nothing_of_its_fence_or_lies_is_not_believed(tmp_path, monkeypatch, text, code):
    monkeypatch.setattr(isolated, "layers_here", lambda: Layers(bubblewrap=None, seals=()))
    monkeypatch.setattr(process, "CHILD", script(tmp_path / "script.py", text))
    assert failure(tmp_path, builders.classifier(tmp_path / "m.onnx")).code == code


def test_a_run_dies_when_its_parent_is_killed(tmp_path):
    model = builders.endless(tmp_path / "m.onnx")
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
            from pathlib import Path
            from weighbridge.systems.sandbox.isolated import *
            import subprocess
            real = subprocess.Popen
            def remember(*a, **o):
                child = real(*a, **o)
                Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
                return child
            subprocess.Popen = remember
            run_isolated(model=Path({str(model)!r}), settings=ProfileSettings(), data=None, limits=Limits(),
                on_progress=lambda share, doing: Path({str(tmp_path / "doing")!r}).write_text(doing),
                should_stop=lambda: False, workdir=Path({str(tmp_path / "work")!r}))
        """),
        ],
        cwd=bubblewrap.package_root(),
    )
    until = time.monotonic() + 60
    doing = tmp_path / "doing"
    while time.monotonic() < until and not (doing.exists() and doing.read_text() == "running the first inference"):
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    assert is_running(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 20
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(child)


LONG = ProfileSettings(
    scenario=SingleStream(min_samples=10**9, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


def has_measured(doing):
    """Whether the parent has heard for about a second that latency is measured."""
    return doing.count("measuring latency") > 8


@pytest.mark.parametrize("reason", ["canceled", "deadline"])
def test_a_run_that_must_end_hands_over_what_it_has(tmp_path, walls, started, ahead, reason):
    doing = []

    def follow(_share, phase):
        doing.append(phase)
        if reason == "deadline" and has_measured(doing):
            ahead[0] = 60.0

    def stops():
        return reason == "canceled" and has_measured(doing)

    with pytest.raises(RunIncomplete) as ended:
        isolated.run_sandboxed(
            walls,
            model=builders.classifier(tmp_path / "m.onnx"),
            settings=LONG,
            data=builders.data_set(tmp_path / "d.npz"),
            workdir=tmp_path / "work",
            limits=Limits(wall_s=60),
            follow=RunCallbacks(follow, stops, 60.0),
        )
    assert isinstance(ended.value, RunCanceled) is (reason == "canceled")
    assert ended.value.partial["is_partial"] is True
    assert ended.value.partial["metrics"]["latency_p95_ms"]["n"] >= 130
    assert "samples.partial" in [entry["code"] for entry in ended.value.partial["verdict"]["reasons"]]
    assert not is_running(started[-1])


def test_a_model_that_never_returns_has_nothing_to_hand_over(tmp_path, walls, started, ahead):
    def follow(_share, doing):
        if doing == "running the first inference":
            ahead[0] = 60.0

    with pytest.raises(RunFailed) as refusal:
        isolated.run_sandboxed(
            walls,
            model=builders.endless(tmp_path / "m.onnx"),
            settings=QUICK,
            data=None,
            workdir=tmp_path / "work",
            limits=Limits(wall_s=60),
            follow=RunCallbacks(follow, lambda: False, 1.0),
        )
    assert (refusal.value.code, refusal.value.partial) == ("run_timeout", None)
    assert not is_running(started[-1])


def test_a_card_that_the_sandbox_hides_is_refused_before_anything_runs(tmp_path, started):
    settings = ProfileSettings(engine=RuntimeSettings(provider="cuda"))
    with pytest.raises(Invalid, match="This model may run only inside it, so it is measured on a processor") as refusal:
        run_isolated(
            model=tmp_path / "m.onnx",
            settings=settings,
            data=None,
            limits=Limits(),
            on_progress=lambda *_: None,
            should_stop=lambda: False,
            workdir=tmp_path / "work",
        )
    assert (refusal.value.code, started) == ("fence_hides_gpu", [])
    assert not (tmp_path / "work").exists()


def test_an_open_run_has_no_fence_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_SEEN", "yes")
    target = {
        "system": "torch",
        "options": {
            "factory": "tests.unit.toolkit.systems.modules:line",
            "inputs": [{"name": "x", "dtype": "float32", "shape": ["n", 4]}],
            "mode": "eager",
            "dtype": "float32",
        },
    }
    result = isolated.run_unsandboxed(
        target,
        settings=QUICK,
        data=None,
        limits=Limits(wall_s=60),
        workdir=tmp_path / "work",
        follow=(lambda *_: None, lambda: False),
    )
    assert result["manifest"]["isolation"] == "none, a process of its own outside every fence"
    assert result["metrics"]["parameters"]["value"] == 12


def test_an_open_run_that_is_canceled_hands_over_what_it_has(tmp_path):
    doing = []
    with pytest.raises(RunCanceled) as ended:
        isolated.run_unsandboxed(
            {"system": "onnx", "options": {"model": str(builders.classifier(tmp_path / "m.onnx"))}},
            settings=LONG,
            data=None,
            limits=Limits(wall_s=60),
            workdir=tmp_path / "work",
            follow=RunCallbacks(lambda _, phase: doing.append(phase), lambda: has_measured(doing), 60.0),
        )
    assert ended.value.partial["is_partial"] is True


def test_a_run_that_ends_before_it_told_of_its_fence_has_nothing_to_hand_over(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "CHILD", script(tmp_path / "script.py", "time.sleep(60)"))
    with pytest.raises(RunCanceled) as ended:
        isolated.run_sandboxed(
            Layers(bubblewrap=None, seals=()),
            model=builders.classifier(tmp_path / "m.onnx"),
            settings=QUICK,
            data=None,
            workdir=tmp_path / "work",
            limits=Limits(wall_s=60),
            follow=(lambda *_: None, lambda: True),
        )
    assert ended.value.partial is None
