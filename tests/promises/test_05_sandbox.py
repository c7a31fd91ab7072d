"""Promise 5, the sandbox: a model that owns the process it is measured in gains nothing outside of it.

`hostile` plays that model. It is run behind each layer alone and behind all together; what a layer does not promise is
named here, and again in `docs/explanation/hostile-models.md`.
"""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.promises import harness_report
from weighbridge.measure.conditions import memory
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox import isolated
from weighbridge.systems.sandbox.bubblewrap import Layers, layers_here, package_root
from weighbridge.systems.sandbox.isolated import run_sandboxed
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunFailed, run_child
from weighbridge.systems.sandbox.seals import CALL_FILTER, LANDLOCK

HOSTILE = Path(__file__).parent / "hostile.py"
FIRST = "no layer but the first"
# Behind the first layer much stands open, but not this.
EVEN_THERE_CLOSED = ("read: own environment", "write: a new file", "write: into", "process: raise its limits")


def attack(kind, layers, workdir, *, limits=None, **job):
    workdir.mkdir(exist_ok=True)
    return run_child(
        program=[str(HOSTILE)],
        job={"kind": kind, "forks": 5, **job},
        reads=[HOSTILE],
        layers=layers,
        limits=limits or Limits(wall_s=120),
        threads=1,
        workdir=workdir,
        follow=(lambda *_: None, lambda: False),
    )


def fences_here():
    """Each layer that this machine has, alone, then what a run gets without bubblewrap, and with it."""
    with tempfile.TemporaryDirectory() as folder:
        held = attack("nothing", Layers(bubblewrap=None), Path(folder)).seals
    wall = layers_here().bubblewrap
    walled = {"bubblewrap": Layers(bubblewrap=wall, seals=()), "everything": Layers(bubblewrap=wall, seals=held)}
    alone = {seal: Layers(bubblewrap=None, seals=(seal,)) for seal in held}
    sealed = {"without bubblewrap": Layers(bubblewrap=None, seals=held)}
    return {FIRST: Layers(bubblewrap=None, seals=()), **alone, **sealed, **(walled if wall else {})}


FENCES = fences_here()
FILTERED = [fence for fence, layers in FENCES.items() if CALL_FILTER in layers.seals]
STRONG = [fence for fence in ("without bubblewrap", "everything") if fence in FENCES]


def stands_open(layers):
    """What these layers do not promise to close, by the beginning of the attack's name."""
    is_filtered, is_walled = CALL_FILTER in layers.seals, layers.bubblewrap is not None
    sees_files, changes_files = not is_walled and LANDLOCK not in layers.seals, "write: "
    return (
        *(["read: "] if sees_files else []),
        # A new world has a loopback of its own, where a datagram may be sent, and nobody hears it.
        *([] if is_filtered else ["net: a datagram"] if is_walled else ["net: "]),
        *([changes_files] if sees_files and not is_filtered else []),
        # Landlock knows no modes, and no files without a path.
        *([] if is_filtered or is_walled else ["write: change the mode", "write: files without a name"]),
        *([] if is_filtered else ["process: "]),
    )


@pytest.fixture
def target(tmp_path):
    """What there is to gain: a process with secrets, listening sockets, another model. Ends with what they
    have seen.
    """
    var = tmp_path / "var"
    var.mkdir()
    secret = var / "another.onnx"
    secret.write_bytes(b"the weights of somebody else")
    with ExitStack() as stack:
        host = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(300)"], env={"DATABASE_URL": "postgres://secret"}
            )
        )
        stack.callback(host.kill)
        listeners = {
            "socket": socket.socket(socket.AF_UNIX),
            "abstract": socket.socket(socket.AF_UNIX),
            "port": socket.socket(),
            "datagrams": socket.socket(type=socket.SOCK_DGRAM),
        }
        abstract = f"weighbridge-{os.getpid()}"
        addresses = {
            "socket": str(var / "s"),
            "abstract": "\0" + abstract,
            "port": ("127.0.0.1", 0),
            "datagrams": ("127.0.0.1", 0),
        }
        for name, listener in listeners.items():
            stack.enter_context(listener)
            listener.bind(addresses[name])
            listener.setblocking(False)
            if name != "datagrams":
                listener.listen()
        at = {
            "settings": str(package_root() / "governance" / "project" / "settings" / "base.py"),
            "project": str(package_root()),
            "var": str(var),
            "secret": str(secret),
            "beside": str(tmp_path / "beside"),
            "elsewhere": str(tmp_path / "elsewhere"),
            "socket": str(var / "s"),
            "abstract": abstract,
            "port": listeners["port"].getsockname()[1],
            "datagrams": listeners["datagrams"].getsockname()[1],
        }
        yield {"at": at, "host": host.pid}, listeners


def has_heard(listener):
    try:
        if listener.type == socket.SOCK_DGRAM:
            return bool(listener.recv(100))
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def processes(mark):
    """Who runs with this text in its command line, zombies aside."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def left_over(tmp_path, *, within_s=20.0):
    """Who of the run is still there after that time."""
    mark, until = str(tmp_path / "work" / "job.json").encode(), time.monotonic() + within_s
    while (found := processes(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def is_promised(name, fence):
    return not name.startswith(stands_open(FENCES[fence])) or name.startswith(EVEN_THERE_CLOSED)


@pytest.mark.parametrize("fence", FENCES)
def test_nothing_is_gained_that_a_layer_promises_to_keep(fence, target, tmp_path):
    job, listeners = target
    secret = Path(job["at"]["secret"])
    before = secret.read_bytes()
    heard = attack("all", FENCES[fence], tmp_path / "work", **job)
    assert heard.status == 0, heard.tail
    gained = json.loads(heard.outcome)["result"]
    assert len(gained) == 39
    promised = {name: met for name, met in gained.items() if is_promised(name, fence)}
    broken = {name: met for name, met in promised.items() if met.startswith("GAINED")}
    assert broken == {}
    counts = {"attacks": len(gained), "promised": len(promised), "gained": len(broken)}
    harness_report.tell("sandbox", __file__, what=fence, **counts)
    assert heard.seals == FENCES[fence].seals
    assert left_over(tmp_path) == []
    if not stands_open(FENCES[fence]):
        assert {name for name, listener in listeners.items() if has_heard(listener)} == set()
        assert os.waitid(os.P_PID, job["host"], os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        assert (secret.read_bytes(), sorted(path.name for path in tmp_path.iterdir())) == (before, ["var", "work"])
        assert [path.name for path in (tmp_path / "work").iterdir()] == ["job.json"]


def test_a_run_of_today_leaves_nothing_open():
    """On a kernel with Landlock and filters, which is any of the last years, with bubblewrap or without it."""
    assert {fence: stands_open(FENCES[fence]) for fence in STRONG} == dict.fromkeys(STRONG, ())


@pytest.mark.parametrize("fence", FILTERED)
def test_ten_thousand_forks_make_no_process(fence, target, tmp_path):
    job, _ = target
    gained = json.loads(attack("all", FENCES[fence], tmp_path / "work", **{**job, "forks": 10_000}).outcome)["result"]
    assert gained["process: fork"] == "PermissionError 1"
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence in FILTERED or FENCES[fence].bubblewrap])
def test_no_daemon_stays_behind(fence, tmp_path):
    heard = attack("daemon", FENCES[fence], tmp_path / "work")
    assert left_over(tmp_path) == []
    is_refused = fence in FILTERED
    assert (b"daemon" in heard.outcome, b"PermissionError" in heard.tail) == (not is_refused, is_refused)


@pytest.mark.parametrize("fence", FENCES)
def test_whoever_ignores_signals_is_ended_at_the_deadline(fence, tmp_path):
    begun = time.monotonic()
    with pytest.raises(RunFailed) as refusal:
        attack("stubborn", FENCES[fence], tmp_path / "work", limits=Limits(wall_s=0.6))
    assert refusal.value.code == "run_timeout"
    assert left_over(tmp_path) == []
    assert time.monotonic() - begun < 50


def work_until_killed(fence, tmp_path):
    try:
        attack("stubborn", FENCES[fence], tmp_path / "work")
    finally:
        os._exit(1)


@pytest.mark.parametrize("fence", FENCES)
def test_a_run_ends_with_the_worker_that_was_killed(fence, tmp_path):
    worker = multiprocessing.get_context("fork").Process(target=work_until_killed, args=(fence, tmp_path))
    worker.start()
    mark, until = str(tmp_path / "work" / "job.json").encode(), time.monotonic() + 60
    while not processes(mark) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.4)
    assert processes(mark)
    worker.kill()
    worker.join()
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("way", ["stdout", "stderr", "outcome"])
@pytest.mark.parametrize("fence", STRONG)
def test_a_gigabyte_of_output_is_neither_kept_nor_waited_for(fence, way, tmp_path):
    memory.reset_peak()
    before, begun = memory.peak_bytes(), time.monotonic()
    with pytest.raises(RunFailed) as refusal:
        attack(way, FENCES[fence], tmp_path / "work", limits=Limits(wall_s=120, result_mb=4))
    assert refusal.value.code == "run_output"
    assert memory.peak_bytes() - before < 20_000_000
    assert time.monotonic() - begun < 60
    assert left_over(tmp_path) == []


def test_threads_without_number_end_with_the_run(tmp_path):
    before = set(threading.enumerate())
    heard = attack(
        "threads", FENCES["without bubblewrap"], tmp_path / "work", limits=Limits(wall_s=120, memory_mb=2_000)
    )
    assert json.loads(heard.outcome)["result"]["threads"] > 10
    assert left_over(tmp_path) == []
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("fence", FENCES)
def test_a_false_result_is_refused_and_false_lines_are_noise(fence, tmp_path, monkeypatch):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"any")
    told, begun = [], time.monotonic()
    monkeypatch.setattr(isolated, "run_child", behind(HOSTILE))
    with pytest.raises(RunFailed) as refusal:
        run_sandboxed(
            FENCES[fence],
            model=model,
            settings=ProfileSettings(),
            data=None,
            limits=Limits(wall_s=120),
            workdir=tmp_path / "work",
            follow=(lambda *step: told.append(step), lambda: False),
        )
    assert refusal.value.code == "run_forged"
    assert "is for another model" in refusal.value.reason
    assert told[-1] == (1.0, "\ufffddone [2J")
    assert time.monotonic() - begun < 60


def behind(program):
    """The fence, with `program` in the place of the profile."""

    def start(*, job, reads, **options):
        return run_child(
            **{**options, "program": [str(program)]}, job={**job, "kind": "false_result"}, reads=[*reads, program]
        )

    return start
