"""An installation on fourteen hosts, started with the operator's commands."""

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.promises.hosts import services
from tests.promises.hosts.network import NETWORK, Host, Network

WEBS, TICKS, WORKERS, GPU = ("web1", "web2"), ("tick1", "tick2"), ("cpu1", "cpu2"), "gpu1"
EFFECT_LEASE_S, LEASE_S = 4, 3


@dataclass(frozen=True)
class Installation:
    """The network, the folder that its hosts share, and what a process must know."""

    network: Network
    folder: Path
    environment: dict[str, str]

    def host(self, name: str) -> Host:
        """The host of this name."""
        return self.network.hosts[name]

    def run_all(self) -> None:
        """Start the processes of the application; the services run already, and the tables are there."""
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:config.web.gunicorn", "config.wsgi"]
        for name in WEBS:
            self._run(name, "web", [*gunicorn, "--workers", "1", "--bind", f"{self.host(name).address}:8000"])
        for name in TICKS:
            self._run(name, "tick", [sys.executable, "manage.py", "tick", "--every", "2"])
        for name, queue in (*((name, "bench.cpu,load") for name in WORKERS), (GPU, "bench.gpu")):
            self._run(name, "bench", self._celery(queue))
            self._run(name, "effects", self._celery("effects,packets"))

    @staticmethod
    def _celery(queues: str) -> list[str]:
        names = ["-A", "tests.promises.hosts.worker", "worker", "-Q", queues, "-n", f"{queues}@%h"]
        return [sys.executable, "-m", "celery", *names, "--loglevel", "INFO"]

    def _run(self, name: str, process: str, command: list[str]) -> None:
        self.host(name).run(process, command, {**self.environment, "TRIAL_HOST": name})


@contextlib.contextmanager
def installation() -> Iterator[Installation]:
    """Hosts and services; the calling process becomes one of `people`. The application does not run yet."""
    folder = Path(tempfile.mkdtemp(prefix="wbhosts-", dir="/tmp"))
    folder.chmod(0o755)  # the database server runs as a user of its own
    try:
        for name in ("logs", "var"):
            (folder / name).mkdir()
        with Network(folder / "logs") as network:
            brought = ("database", "broker", "bucket", "outside")
            names = ("edge", *WEBS, *TICKS, *WORKERS, GPU, *brought, "people", "people2")
            for number, name in enumerate(names, 10):
                network.add(name, number)
            hosts = network.hosts
            environment = _environment(folder) | {
                "DATABASE_URL": services.run_database(hosts["database"], folder=folder),
                "BROKER_URL": services.run_broker(hosts["broker"]),
                "WEIGHBRIDGE_ARTIFACTS": services.run_bucket(hosts["bucket"]),
                "WEIGHBRIDGE_LOAD_TARGETS": f"{hosts['outside'].address}={NETWORK}.0/24",
            }
            services.run_outside(hosts["outside"], folder=folder)
            services.run_proxy(hosts["edge"], folder=folder, webs=[hosts[name] for name in WEBS])
            hosts["people"].enter()
            os.environ.update(environment)
            yield Installation(network, folder, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.promises.hosts.settings",
        "REQUESTS_CA_BUNDLE": str(folder / "outside.crt"),
        "ORT_DISABLE_TELEMETRY": "1",
        "WEIGHBRIDGE_VAR": str(folder / "var"),
        "WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60),
        "WEIGHBRIDGE_HOSTS": services.NAME,
        "WEIGHBRIDGE_BASE_URL": f"https://{services.NAME}",
        "WEIGHBRIDGE_PROXIES": "1",
        "WEIGHBRIDGE_LEASE_S": str(LEASE_S),
        "WEIGHBRIDGE_EFFECT_LEASE_S": str(EFFECT_LEASE_S),
        "WEIGHBRIDGE_STATEMENT_S": "15",
        "WEIGHBRIDGE_API_WRITES": "100000",
        "AWS_ACCESS_KEY_ID": "trial",
        "AWS_SECRET_ACCESS_KEY": "trial-secret",
    }
