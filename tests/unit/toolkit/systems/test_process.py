"""The fence, with real child processes: whatever they do, the parent hears within limits and ends them."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.toolkit.builders import script
from weighbridge.core.converter import to_document
from weighbridge.measure.conditions import memory
from weighbridge.systems.sandbox import bubblewrap, process
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import ChildOutput, RunCanceled, RunFailed, child_environment, run_child

pytestmark = pytest.mark.slow

BARE = Layers(bubblewrap=None, seals=())


@pytest.fixture
def run(tmp_path):
    def start(text, *, limits=None, layers=BARE, on_progress=lambda _share, _doing: None, should_stop=lambda: False):
        return run_child(
            program=script(tmp_path / "script.py", text),
            job={"name": "test"},
            reads=[tmp_path / "script.py"],
            layers=layers,
            limits=limits or Limits(wall_s=30),
            threads=2,
            workdir=tmp_path,
            follow=(on_progress, should_stop),
        )

    return start


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def is_gone(pid, *, within_s=20.0):
    until = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


def test_what_a_child_says_is_heard(run):
    told = []
    heard = run(
        """
        say(fence=["Landlock"])
        say(share=0.25, doing="thinking")
        print("complaints", file=sys.stderr)
        hand_over({"result": 1})
        """,
        on_progress=lambda *step: told.append(step),
    )
    assert (heard.seals, bytes(heard.outcome), heard.tail) == (("Landlock",), b'{"result": 1}', b"complaints\n")
    assert heard.status == 0
    assert [step for step, _ in itertools.groupby(told)] == [("starting"), ("thinking")] or told[-1] == (
        0.25,
        "thinking",
    )


def test_the_child_finds_no_compiler_that_would_need_a_file(tmp_path):
    """`find_library` runs a compiler if it finds one, and writes a file for it, which a sandbox forbids."""
    ask = "import ctypes.util, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    ask += "print(ctypes.util.find_library('of-no-such-name'))"
    environment = child_environment(str(tmp_path), threads=1)
    done = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr


def test_the_child_knows_nothing_of_our_environment(run, monkeypatch, tmp_path):
    monkeypatch.setenv("WEIGHBRIDGE_SECRET", "hush")
    heard = run("hand_over(dict(os.environ))")
    found = {key: value for key, value in json.loads(heard.outcome).items() if key != "LC_CTYPE"}
    assert found == child_environment(str(tmp_path), threads=2)
    assert set(found) == {
        "PATH",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "HOME",
        "TMPDIR",
        "LANG",
        "ORT_DISABLE_TELEMETRY",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    }
    assert (found["ORT_DISABLE_TELEMETRY"], found["OMP_NUM_THREADS"], found["HOME"]) == ("1", "2", str(tmp_path))


def test_it_has_no_descriptors_but_its_pipes_and_nothing_to_read(run):
    heard = run("hand_over([sys.stdin.read(), sorted(os.listdir('/proc/self/fd')), os.getsid(0) == os.getpid()])")
    said, descriptors, leads = json.loads(heard.outcome)
    assert (said, leads) == ("", True)
    assert len(descriptors) == 6  # three, the outcome, the leash, and the listing itself


def test_the_job_says_what_may_be_read_and_whose_child_it_is(run, tmp_path):
    job = json.loads(bytes(run("hand_over(job)").outcome))
    assert (job["name"], job["parent"], job["layers"]) == (
        "test",
        os.getpid(),
        {"bubblewrap": None, "seals": [], "is_open": False},
    )
    assert job["limits"] == to_document(Limits(wall_s=30))
    assert job["reads"][-2:] == [str(tmp_path / "script.py"), str(tmp_path / "job.json")]
    assert "/proc/self" in job["reads"]


def test_behind_bubblewrap_the_home_the_parent_and_the_status_are_others(run, monkeypatch, tmp_path):
    wall = tmp_path / "bwrap"
    wall.write_text('#!/bin/sh\nwhile [ "$1" != --chdir ]; do shift; done; shift 2; exec "$@"\n')
    wall.chmod(0o755)
    heard = run("hand_over([job['parent'], os.environ['HOME']])\nsys.exit(139)", layers=Layers(bubblewrap=str(wall)))
    assert json.loads(heard.outcome) == [1, "/work"]
    assert heard.status == -signal.SIGSEGV
    assert run("sys.exit(3)", layers=Layers(bubblewrap=str(wall))).status == 3


def test_an_exit_status_without_bubblewrap_is_taken_as_it_is(run):
    assert (run("sys.exit(139)").status, run("os.kill(os.getpid(), signal.SIGSEGV)").status) == (139, -signal.SIGSEGV)


def test_a_child_that_is_silent_is_stopped_at_the_deadline(run, ahead):
    beats, begun = [], time.monotonic()

    def beat(_share, doing):
        beats.append(time.monotonic())
        silent.extend(beats[-1:] if doing == "nothing" else [])
        ahead[0] = 40.0 if len(silent) > 6 else 0.0

    silent = []
    with pytest.raises(RunFailed) as refusal:
        run(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay(fence=[])\nsay(share=0, "
            "doing='nothing')\ntime.sleep(60)",
            limits=Limits(wall_s=40),
            on_progress=beat,
        )
    assert refusal.value.code == "run_timeout"
    assert "stopped after 40 s, while nothing" in refusal.value.reason
    assert time.monotonic() - begun < 30
    assert max(after - before for before, after in itertools.pairwise(beats)) < 5


def test_a_child_is_canceled(run):
    with pytest.raises(RunCanceled, match="was canceled"):
        run("time.sleep(60)", should_stop=lambda: True)


@pytest.mark.parametrize(
    ("flood", "limits", "words"),
    [
        ("while True: os.write(1, b'x' * 65536)", {"output_kb": 100}, "wrote more than 100 kB"),
        ("while True: os.write(2, b'line\\n' * 10000)", {"output_kb": 100}, "wrote more than 100 kB"),
        ("while True: os.write(job['outcome'], b'x' * 65536)", {"result_mb": 2}, "larger than 2 MB"),
    ],
)
def test_a_flood_is_stopped_and_not_kept(run, flood, limits, words):
    memory.reset_peak()
    before = memory.peak_bytes()
    with pytest.raises(RunFailed, match=words) as refusal:
        run(flood, limits=Limits(wall_s=60, **limits))
    assert refusal.value.code == "run_output"
    assert memory.peak_bytes() - before < 16_000_000


def test_what_a_callback_raises_passes_through_and_ends_the_child(run, tmp_path):
    def fail(_share, _doing):
        if (tmp_path / "pid").exists():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("open('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)", on_progress=fail)
    assert is_gone(int((tmp_path / "pid").read_text() or 0))


@pytest.mark.parametrize("hold", ["os.close(1); os.close(2); os.close(job['outcome'])", "pass"])
def test_descendants_die_with_the_run_and_do_not_hold_it_up(run, tmp_path, hold):
    begun = time.monotonic()
    heard = run(f"""
        pid = os.fork()
        if pid == 0:
            {hold}
            time.sleep(60)
        open("descendant", "w").write(str(pid))
        hand_over("1")
    """)
    assert (heard.status, heard.outcome) == (0, b"1")
    assert time.monotonic() - begun < 40
    assert is_gone(int((tmp_path / "descendant").read_text()))


def test_a_child_that_closes_its_output_but_stays_is_ended(run, monkeypatch):
    monkeypatch.setattr(process, "EXIT_TIMEOUT_S", 0.3)
    heard = run("os.close(job['outcome'])\nos.close(1)\nos.close(2)\ntime.sleep(60)")
    assert heard.status == -signal.SIGKILL


def test_complaints_are_kept_from_their_end(run):
    heard = run("sys.stderr.write('a' * 3000 + 'the end')")
    assert len(heard.tail) == 2_000
    assert heard.tail.endswith(b"aathe end")


def test_a_line_may_come_in_pieces(run):
    told = []
    run(
        """
        say(fence=[])
        os.write(1, b'{"share": 0.5, "do')
        time.sleep(0.4)
        os.write(1, b'ing": "slowly"}\\n')
        """,
        on_progress=lambda *step: told.append(step),
    )
    assert (0.5, "slowly") in told


@pytest.mark.parametrize(
    ("line", "understood"),
    [
        (b'{"share": 0.5, "doing": "x"}', (0.5, "x")),
        (b'{"share": 7, "doing": "x"}', (1.0, "x")),
        (b'{"share": -7, "doing": "x"}', (0.0, "x")),
        (b'{"share": NaN, "doing": "x"}', None),
        (b'{"share": 1e999, "doing": "x"}', None),
        (b'{"share": 0.5, "doing": "a\\u0000b\\n\\u001b[31mc"}', (0.5, "a\ufffdb  [31mc")),
        (b'{"share": 0.5}', None),
        (b'{"share": [], "doing": "x"}', None),
        (b"[1]", None),
        (b"a library talks", None),
        (b"\xff\xfe", None),
        (b"[" * 200_000, None),
    ],
)
def test_only_progress_is_taken_for_progress(line, understood):
    assert process._progress(line, ChildOutput(seals=())) == understood


def test_a_phase_is_kept_short():
    line = json.dumps({"share": 0, "doing": "x" * 5_000}).encode()
    assert process._progress(line, ChildOutput(seals=())) == (0.0, "x" * 120)


def test_the_fence_is_told_once_and_first():
    heard = ChildOutput()
    assert [process._progress(line, heard) for line in (b"noise", b'{"share": 0, "doing": "x"}')] == [None, None]
    assert heard.seals is None
    assert process._progress(b'{"fence": ["Landlock"]}', heard) is None
    assert process._progress(b'{"fence": ["bubblewrap"]}', heard) is None
    assert heard.seals == ("Landlock",)


def test_a_child_that_cannot_be_started_leaves_no_pipe_open(run, monkeypatch):
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())

    def fail(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr(process.subprocess, "Popen", fail)
    with pytest.raises(OSError, match="no more processes"):
        run("pass")
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_output_must_be_a_pipe():
    with subprocess.Popen(["/bin/true"]) as child, pytest.raises(ValueError, match="pipe"):
        next(process._read_output(child, child.stdin, ChildOutput(), limits=Limits()))


def test_the_root_holds_our_packages():
    assert (bubblewrap.package_root() / "weighbridge" / "systems" / "sandbox" / "process.py").is_file()
