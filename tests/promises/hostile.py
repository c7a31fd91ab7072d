"""A hostile program, run behind the fence in the place of a model's own code.

It assumes the worst: that a model has taken over the process that measures it, and runs whatever it likes there. Each
attack returns what it gained; whatever is refused raises. Standalone: behind the fence the tests' packages are not to
be seen.
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from weighbridge.systems.sandbox.child import enter_sandbox

NOT_HERE = (OSError, ValueError, RuntimeError, MemoryError)


def read(path):
    return Path(path).read_bytes()[:40].decode(errors="replace")


def found_in(path, name):
    return [entry.name for entry in Path(path).iterdir()].index(name)


def other_environment(job):
    return next(line for line in Path(f"/proc/{job['host']}/environ").read_text().split("\0") if "DATABASE_URL" in line)


def connect(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as client:
        client.settimeout(0.5)
        try:
            client.connect(address)
            client.send(b"hello from inside")
        except TimeoutError:
            return "sent, and nobody answered"
    return "connected"


def in_a_new_thread(attack):
    gained = []

    def run():
        try:
            gained.append(attack())
        except NOT_HERE as error:
            gained.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(gained[0], Exception):
        raise gained[0]
    return gained[0]


def create(path, megabytes=64):
    """Write until it is refused; a hundred gigabytes fail at the first byte or not at all."""
    written = 0
    with Path(path).open("wb", buffering=0) as file:
        for _ in range(megabytes):
            written += file.write(b"x" * 1_000_000)
    return f"{written} bytes"


def overwrite(path):
    descriptor = os.open(path, os.O_RDWR)
    return os.pwrite(descriptor, b"gotcha", 0)


def overwrite_by_mapping(path):
    descriptor = os.open(path, os.O_RDWR)
    with mmap.mmap(descriptor, 6) as memory:
        memory[:6] = b"gotcha"
    return "gotcha"


def cut(path):
    os.truncate(path, 0)
    return "cut"


def cut_open(path):
    os.ftruncate(os.open(path, os.O_RDWR), 1)
    return "cut"


def remove(path):
    Path(path).unlink()
    return "removed"


def change_mode(path):
    Path(path).chmod(0o777)
    return "changed"


def hidden_memory():
    descriptor = os.memfd_create("hoard")
    return os.write(descriptor, b"x" * 1_000_000)


def forks(most):
    """Fork, and count; the children stay to be found."""
    count = 0
    for _ in range(most):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
    return f"{count} children"


def execute():
    os.execv("/bin/true", ["true"])


def spawn():
    return os.posix_spawn("/bin/true", ["true"], {})


def hurt(pid):
    os.kill(pid, signal.SIGTERM)
    return "signalled"


def raise_limits():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**9, 10**9))
    return resource.getrlimit(resource.RLIMIT_FSIZE)


def limit_another(pid):
    return resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))


def outlive():
    if ctypes.CDLL(None, use_errno=True).prctl(1, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return "no longer dies with its parent"


def leave_session():
    os.setsid()
    return "a session of its own"


def undress():
    """Ask for a kernel call that every process has, by the numbers of another interface."""
    if ctypes.CDLL(None, use_errno=True).syscall(0x40000000 + 39) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return "x32"


def attacks(job):
    """Every attack by name; those of a kind share a prefix."""
    at, host = job["at"], job["host"]
    return {
        "read: passwd": lambda: read("/etc/passwd"),
        "read: own environment": lambda: os.environ["DATABASE_URL"],
        "read: environment of another": lambda: other_environment(job),
        "read: settings": lambda: read(at["settings"]),
        "read: settings by import": lambda: read(__import__("config.settings.base").__file__),
        "read: another model": lambda: read(at["secret"]),
        "read: through its own root": lambda: read(f"/proc/self/root{at['secret']}"),
        "read: through another's root": lambda: read(f"/proc/{host}/root{at['secret']}"),
        "read: list the project": lambda: found_in(at["project"], "manage.py"),
        "read: list the run-time files": lambda: found_in(at["var"], "another.onnx"),
        "net: database on its socket": lambda: connect(at["socket"], socket.AF_UNIX),
        "net: abstract socket": lambda: connect("\0" + at["abstract"], socket.AF_UNIX),
        "net: a listener on loopback": lambda: connect(("127.0.0.1", at["port"])),
        "net: a datagram to loopback": lambda: connect(("127.0.0.1", at["datagrams"]), kind=socket.SOCK_DGRAM),
        "net: database": lambda: connect(("127.0.0.1", 5432)),
        "net: broker": lambda: connect(("127.0.0.1", 6379)),
        "net: metadata": lambda: connect(("169.254.169.254", 80)),
        "net: in a new thread": lambda: in_a_new_thread(lambda: connect(("127.0.0.1", at["port"]))),
        "write: a new file beside the model": lambda: create(at["beside"]),
        "write: a new file among temporary ones": lambda: create(at["elsewhere"]),
        "write: a new file at home": lambda: create(Path("~/weighbridge-attack").expanduser()),
        "write: into another model": lambda: overwrite(at["secret"]),
        "write: map another model": lambda: overwrite_by_mapping(at["secret"]),
        "write: into its own model": lambda: overwrite(job["reads"][-2]),
        "write: cut another model": lambda: cut(at["secret"]),
        "write: cut another model, opened": lambda: cut_open(at["secret"]),
        "write: remove another model": lambda: remove(at["secret"]),
        "write: change the mode of another model": lambda: change_mode(at["secret"]),
        "write: move another model": lambda: Path(at["secret"]).rename(at["beside"]),
        "write: link another model": lambda: os.link(at["secret"], at["beside"]),
        "write: files without a name": hidden_memory,
        "process: fork": lambda: forks(job["forks"]),
        "process: execute": spawn,
        "process: signal another": lambda: hurt(host),
        "process: limit another": lambda: limit_another(host),
        "process: raise its limits": raise_limits,
        "process: outlive its parent": outlive,
        "process: leave its session": leave_session,
        "process: undress": undress,
    }


def all_of_them(job):
    """What each attack gained, or the error that met it."""
    gained = {}
    for name, attack in attacks(job).items():
        try:
            gained[name] = f"GAINED {attack()}"
        except (*NOT_HERE, KeyError, StopIteration, ImportError) as error:
            gained[name] = f"{type(error).__name__} {getattr(error, 'errno', None)}"
    return gained


def daemon(job):
    """Leave a process that belongs to no group or session of ours and holds no pipe of ours."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in (0, 1, 2, job["outcome"]):
                os.close(descriptor)
            while True:
                time.sleep(60)
        os._exit(0)
    return {"daemon": "left"}


def stubborn(job):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(60)


def flood(descriptor):
    def run(job):
        piece = b"x" * 65_536
        for _ in range(1_000_000_000 // len(piece)):
            os.write(job["outcome"] if descriptor is None else descriptor, piece)
        return {"printed": "1 GB"}

    return run


def threads(job):
    """As many threads as there may be; each waits for ever."""
    count = 0
    threading.stack_size(65_536)
    try:
        while count < 5_000:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    return {"threads": count}


def false_result(job):
    """A splendid result, on every way out; the last one is of the right form and seal."""
    from weighbridge.measure.conditions.manifest import seal_manifest

    manifest = {"model": {"digest": "sha256:" + "0" * 64}, "data": None, "settings": job["settings"]}
    result = {
        "schema": "weighbridge.result/1",
        "measured_at": "2026-01-01T00:00:00+00:00",
        "verdict": {"status": "valid", "reasons": []},
        "run": {"duration_s": 1.0},
        "metrics": {"latency_p95_ms": {"value": 0.001}},
        "manifest": seal_manifest({**manifest, "isolation": job["isolation"]}),
    }
    print(json.dumps({"fence": ["bubblewrap", "ten fences"]}))
    print(json.dumps({"result": result}))
    print(json.dumps({"share": 1e300, "doing": "\0done\x1b[2J"}), flush=True)
    return result


KINDS = {
    "nothing": lambda _job: {},
    "all": all_of_them,
    "daemon": daemon,
    "stubborn": stubborn,
    "stdout": flood(1),
    "stderr": flood(2),
    "outcome": flood(None),
    "threads": threads,
    "false_result": false_result,
}

if __name__ == "__main__":
    order = enter_sandbox(Path(sys.argv[-1]), stream=sys.stdout)
    answer = json.dumps({"result": KINDS[order["kind"]](order)}).encode()
    while answer:
        answer = answer[os.write(order["outcome"], answer) :]
    os._exit(0)
