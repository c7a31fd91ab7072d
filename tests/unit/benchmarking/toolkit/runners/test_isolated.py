"""Isolation, with real child processes: whatever the model does, the parent gets an answer in words."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from benchmarking.toolkit.runners import isolated
from benchmarking.toolkit.runners.isolated import Limits, RunCancelled, RunFailed, environment, profile_isolated
from tests.unit.benchmarking.toolkit import builders

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=700, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)


def run(tmp_path, model, *, data=None, limits=None, should_stop=lambda: False, on_progress=lambda _share, _doing: None):
    return profile_isolated(
        model=model, settings=QUICK, data=data, limits=limits or Limits(wall_s=60), on_progress=on_progress,
        should_stop=should_stop, workdir=tmp_path / "work",
    )  # fmt: skip


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

    monkeypatch.setattr(isolated.subprocess, "Popen", remember)
    return pids


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Put a script of our own in the place of the child's interpreter."""

    def use(script):
        head = "import json, os, signal, sys, time\njob = json.load(open(sys.argv[-1]))\n"
        (tmp_path / "script.py").write_text(head + textwrap.dedent(script))
        path = tmp_path / "python"
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/script.py" "$@"\n')
        path.chmod(0o755)
        monkeypatch.setattr(isolated.sys, "executable", str(path))

    return use


def test_a_model_is_profiled_in_a_process_of_its_own(tmp_path, started):
    said = []
    data = builders.data_set(tmp_path / "d.npz")
    result = run(
        tmp_path, builders.classifier(tmp_path / "m.onnx"), data=data, on_progress=lambda *step: said.append(step)
    )
    assert result["schema"] == "weighbridge.result/1"
    assert result["metrics"]["accuracy"]["value"] == 0.9
    assert result["metrics"]["latency_p99_ms"]["n"] == 700
    assert result["metrics"]["peak_memory_mb"]["value"] > result["metrics"]["peak_memory_delta_mb"]["value"] > 1
    assert said[-1] == (1.0, "done")
    assert [share for share, _ in said] == sorted(share for share, _ in said)
    assert not is_running(started[0])


def test_the_child_knows_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_SECRET", "hush")
    found = environment(tmp_path, threads=2)
    assert set(found) == {
        "PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "HOME", "TMPDIR", "LANG", "ORT_DISABLE_TELEMETRY",
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    }  # fmt: skip
    assert (found["ORT_DISABLE_TELEMETRY"], found["OMP_NUM_THREADS"]) == ("1", "2")


def test_bad_input_is_told_in_the_words_of_the_child(tmp_path):
    refusal = failure(tmp_path, tmp_path / "none.onnx")
    assert (refusal.reason, refusal.code, refusal.field) == (
        "There is no model file none.onnx.",
        "model_missing",
        "model",
    )


def test_a_model_that_never_returns_is_stopped_at_the_deadline(tmp_path, started):
    beats = []
    begun = time.monotonic()
    refusal = failure(
        tmp_path,
        builders.endless(tmp_path / "m.onnx"),
        limits=Limits(wall_s=4),
        on_progress=lambda *_: beats.append(time.monotonic()),
    )
    assert refusal.code == "run_timeout"
    assert "stopped after 4 s, while asking for the first time" in refusal.reason
    assert time.monotonic() - begun < 10
    assert max(after - before for before, after in itertools.pairwise(beats)) < 2
    assert not is_running(started[0])


def test_a_model_that_eats_processor_time_is_stopped(tmp_path):
    refusal = failure(tmp_path, builders.endless(tmp_path / "m.onnx"), limits=Limits(cpu_s=2, wall_s=60))
    assert (refusal.code, refusal.reason) == ("run_cpu", "The run used its 2 s of processor time and was stopped.")


def test_a_model_that_asks_for_too_much_memory_fails_in_words(tmp_path):
    refusal = failure(tmp_path, builders.hungry(tmp_path / "m.onnx"))
    assert refusal.code == "model_memory"
    assert "ran out of memory on its first inference" in refusal.reason


def test_a_process_that_cannot_have_its_memory_fails_in_words(tmp_path):
    refusal = failure(tmp_path, builders.classifier(tmp_path / "m.onnx"), limits=Limits(memory_mb=80))
    assert refusal.code == "model_memory"


def test_a_run_is_cancelled(tmp_path, started):
    with pytest.raises(RunCancelled):
        run(tmp_path, builders.endless(tmp_path / "m.onnx"), should_stop=lambda: True)
    assert not is_running(started[0])


def test_what_a_callback_raises_passes_through_and_ends_the_child(tmp_path, started):
    def fail(_share, _doing):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, builders.endless(tmp_path / "m.onnx"), on_progress=fail)
    assert not is_running(started[0])


def test_descendants_die_with_the_run(tmp_path, scripted):
    scripted("""
        pid = os.fork()
        if pid == 0:
            os.close(1)
            time.sleep(60)
        open("descendant", "w").write(str(pid))
        json.dump({"result": {"schema": "x"}}, open(job["outcome"], "w"))
    """)
    assert run(tmp_path, tmp_path / "m.onnx") == {"schema": "x"}
    descendant = int((tmp_path / "work" / "descendant").read_text())
    until = time.monotonic() + 5
    while is_running(descendant) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(descendant)


@pytest.mark.parametrize(
    ("script", "limits", "code", "words"),
    [
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            {},
            "run_crash",
            "ended by signal SIGSEGV and left no result: it said nothing",
        ),
        ("sys.exit('first\\nlast words')", {}, "run_crash", "with exit status 1 and left no result: last words"),
        ("pass", {}, "run_crash", "with exit status 0 and left no result: it said nothing"),
        ("os.kill(os.getpid(), signal.SIGKILL)", {}, "run_killed", "killed by the system"),
        ("sys.exit('MemoryError')", {"memory_mb": 50}, "model_memory", "went over its 50 MB of memory"),
        ("print('x' * 5000, flush=True)\ntime.sleep(30)", {"output_kb": 1}, "run_output", "said more than 1 kB"),
        (
            "json.dump({'result': 'x' * 2000000}, open(job['outcome'], 'w'))",
            {"result_mb": 1},
            "run_output",
            "larger than 1 MB",
        ),
    ],
)
def test_every_other_end_has_its_words(tmp_path, scripted, script, limits, code, words):
    scripted(script)
    refusal = failure(tmp_path, tmp_path / "m.onnx", limits=Limits(wall_s=20, **limits))
    assert refusal.code == code
    assert words in refusal.reason


def test_lines_that_are_no_progress_are_passed_over(tmp_path, scripted):
    scripted("""
        print("a library talks"); print("[1]"); print('{"share": 0.5}'); print('{"share": 0.25, "doing": "thinking"}', end="", flush=True)
        time.sleep(0.1); print()
        json.dump({"result": {"schema": "x"}}, open(job["outcome"], "w"))
    """)
    said = []
    run(tmp_path, tmp_path / "m.onnx", on_progress=lambda *step: said.append(step))
    assert (0.25, "thinking") in said
    assert {doing for _, doing in said} == {"starting", "thinking"}


def test_a_child_that_closes_its_output_but_stays_is_ended(tmp_path, scripted, monkeypatch):
    monkeypatch.setattr(isolated, "ENDING_PATIENCE_S", 0.3)
    scripted("os.close(1)\nos.close(2)\ntime.sleep(60)")
    assert failure(tmp_path, tmp_path / "m.onnx").code == "run_killed"


def test_an_old_outcome_is_never_taken_for_a_new_one(tmp_path, scripted):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "outcome.json").write_text('{"result": {"schema": "old"}}')
    scripted("pass")
    assert failure(tmp_path, tmp_path / "m.onnx").code == "run_crash"


def test_a_run_dies_when_its_parent_is_killed(tmp_path):
    model = builders.endless(tmp_path / "m.onnx")
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            from pathlib import Path
            from benchmarking.toolkit.runners.isolated import *
            import subprocess
            real = subprocess.Popen
            def remember(*a, **o):
                child = real(*a, **o)
                Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
                return child
            subprocess.Popen = remember
            profile_isolated(model=Path({str(model)!r}), settings=ProfileSettings(), data=None, limits=Limits(),
                on_progress=lambda share, doing: Path({str(tmp_path / "doing")!r}).write_text(doing),
                should_stop=lambda: False, workdir=Path({str(tmp_path / "work")!r}))
        """)],
        cwd=Path(isolated.benchmarking.__file__).parent.parent,
    )  # fmt: skip
    until = time.monotonic() + 20
    doing = tmp_path / "doing"
    while time.monotonic() < until and not (doing.exists() and doing.read_text() == "asking for the first time"):
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    assert is_running(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(child)


def test_output_must_be_a_pipe():
    with subprocess.Popen(["/bin/true"]) as child, pytest.raises(ValueError, match="pipe"):
        next(isolated._lines(child, most_bytes=1))
