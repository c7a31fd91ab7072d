"""The image, built without an engine: every instruction of the Dockerfile is carried out, and every process starts.

Debian and a copied Python stand in for the base image; see `image`. A quarter of an hour, and root.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises import harness_places
from tests.promises.hosts.services import PROGRAMS

HOST, READY = (
    "weighbridge.example.org",
    {
        "web": "Listening at",
        "worker": "celery@",
        "packets": "celery@",
        "batch": "celery@",
        "bench": "celery@",
        "tick": "This tick is at work.",
    },
)


class Image:
    """The built root, with a database and a broker of this machine beside it."""

    def __init__(self, root: Path, logs: Path, services: dict[str, str]) -> None:
        self.root, self.logs = root, logs
        self.made = json.loads(root.with_suffix(".json").read_text())
        self.environment = {
            **self.made["environment"],
            **services,
            "WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60),
            "WEIGHBRIDGE_HOSTS": HOST,
            "WEIGHBRIDGE_BASE_URL": f"https://{HOST}",
            "WEIGHBRIDGE_PROXIES": "1",
            "WEIGHBRIDGE_BENCH_PASSWORD": "bench-password",
        }

    def start(self, process: str) -> subprocess.Popen[bytes]:
        """Start a process of the entry point as the image says: its user, its folder, its environment."""
        named = [f"{name}={value}" for name, value in self.environment.items()]
        inside = ["chroot", f"--userspec={self.made['user']}", str(self.root), "/usr/bin/env", "-i"]
        with self.log(process).open("wb") as log:
            command = [*inside, f"--chdir={self.made['folder']}", *named, "weighbridge-process", process]
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def log(self, process: str) -> Path:
        return self.logs / process

    def ends(self, process: str) -> int:
        """Run a process to its end."""
        return self.start(process).wait(600)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis on free ports of this machine."""
    folder = tmp_path_factory.mktemp("services")
    for each in (folder, *folder.parents):
        if each.owner() == "root" and each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(0o755)
    data, ports = folder / "postgres", (harness_places.free_port(), harness_places.free_port())
    data.mkdir()
    shutil.chown(data, "nobody", "nogroup")
    as_nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    initdb = [*as_nobody, str(PROGRAMS / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale", "C"], check=True, capture_output=True, cwd="/")
    postgres = [
        *as_nobody,
        str(PROGRAMS / "postgres"),
        "-D",
        str(data),
        "-p",
        str(ports[0]),
        "-c",
        "unix_socket_directories=",
    ]
    redis = ["redis-server", "--port", str(ports[1]), "--save", "", "--dir", str(folder)]
    running = [
        subprocess.Popen(each, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for each in (postgres, redis)
    ]
    time.sleep(3)
    yield {
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{ports[0]}/postgres",
        "BROKER_URL": f"redis://127.0.0.1:{ports[1]}/0",
    }
    for each in running:
        each.send_signal(signal.SIGINT)
        each.wait(60)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, services: dict[str, str]) -> Iterator[Image]:
    lacking = [name for name in ("mmdebstrap", "redis-server", "setpriv") if shutil.which(name) is None]
    if os.geteuid() or lacking:
        pytest.skip(f"only root can build the image, with {', '.join(lacking) or 'what is installed here'}")
    kept = os.environ.get("WEIGHBRIDGE_IMAGE")
    root = Path(kept) if kept else tmp_path_factory.mktemp("image") / "root"
    if not root.with_suffix(".json").exists():
        wheels = [f"--bind={path}" for path in os.environ.get("PIP_FIND_LINKS", "").split() if Path(path).is_dir()]
        command = [sys.executable, "-m", "tests.promises.image", str(root), *wheels]
        built = subprocess.run(command, cwd=harness_places.ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-4000:]
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    yield Image(root, tmp_path_factory.mktemp("logs"), services)
    subprocess.run(["umount", str(root / "proc")], check=True)


@pytest.mark.nightly
def test_every_process_of_the_image_starts(image: Image) -> None:
    assert image.ends("migrate") == 0, image.log("migrate").read_text()[-4000:]
    running = {process: image.start(process) for process in READY}
    try:
        for process, word in READY.items():
            ends_s = time.monotonic() + 180
            while word not in image.log(process).read_text():
                said = image.log(process).read_text()[-3000:]
                assert running[process].poll() is None, f"{process}: {said}"
                assert time.monotonic() < ends_s, f"{process}: {said}"
                time.sleep(0.5)
        assert image.ends("health") == 0, image.log("health").read_text()
        owners = {Path(f"/proc/{process.pid}").stat().st_uid for process in running.values()}
        assert owners == {10001}
    finally:
        for each in running.values():
            os.killpg(each.pid, signal.SIGTERM)
    assert {process: each.wait(60) for process, each in running.items()} == {
        **dict.fromkeys(("web", "worker", "packets", "batch", "bench"), 0),
        "tick": -signal.SIGTERM,
    }
