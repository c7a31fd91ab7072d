"""Hosts that are network namespaces, joined by a switch. Each has one address, one link and its own processes."""

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.promises.harness_places import ROOT

CLONE_NEWNET = 0x40000000
NETWORK, BITS = "10.213.0", 24


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Network:
    """A switch, and the hosts that are plugged into it; all of them are removed at the end."""

    def __init__(self, logs: Path) -> None:
        self.name, self.logs = f"wb{secrets.token_hex(2)}", logs
        self.hosts: dict[str, Host] = {}

    @property
    def switch(self) -> str:
        """The namespace of the switch."""
        return f"{self.name}-switch"

    def __enter__(self) -> Self:
        _ip("netns", "add", self.switch)
        _ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "switch", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.kill()
            host.remove()
        _ip("netns", "delete", self.switch)

    def add(self, name: str, number: int) -> "Host":
        """Plug a host in; its address ends with `number`."""
        self.hosts[name] = Host(self, name, f"{NETWORK}.{number}")
        self.hosts[name].plug_in()
        return self.hosts[name]


class Host:
    """One machine: `start` runs a process on it, `kill` ends all of them, `cut` and `mend` are about its link."""

    def __init__(self, network: Network, name: str, address: str) -> None:
        self.network, self.name, self.address = network, name, address
        self.namespace = f"{network.name}-{name}"
        self.commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def plug_in(self) -> None:
        """Make the machine and its link."""
        inside, switch = self.namespace, self.network.switch
        _ip("netns", "add", inside)
        _ip("-n", switch, "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", inside)
        _ip("-n", switch, "link", "set", self.name, "master", "switch", "up")
        _ip("-n", inside, "address", "add", f"{self.address}/{BITS}", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", inside, "link", "set", link, "up")

    def remove(self) -> None:
        """Take the machine away, and with it whatever its kernel knows of connections."""
        _ip("-n", self.network.switch, "link", "delete", self.name)
        _ip("netns", "delete", self.namespace)

    def enter(self) -> None:
        """Move the calling process to this machine."""
        with Path("/run/netns", self.namespace).open() as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter {self.namespace}")

    def run(self, process: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process, and remember how, so that `start` can do it again."""
        self.commands[process] = (list(command), dict(environment))
        self.start()

    def start(self) -> None:
        """Start every process of this machine that does not run."""
        for process, (command, environment) in self.commands.items():
            running = self.running.get(process)
            if running is None or running.poll() is not None:
                self.running[process] = self._spawn(process, command, environment)

    def _spawn(self, process: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log(process).open("ab") as log:
            return subprocess.Popen(
                # Whatever ends the trial ends its processes too.
                ["nsenter", f"--net=/run/netns/{self.namespace}", "setpriv", "--pdeathsig", "KILL", *command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, process: str) -> Path:
        """What a process said."""
        return self.network.logs / f"{self.name}-{process}.log"

    def kill(self) -> None:
        """SIGKILL all processes."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        """Stop the processes as a supervisor does, and start them again: what they have begun comes to its end."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(120)
        self.start()

    def stand_still(self) -> None:
        """SIGSTOP all processes; `go_on` ends it."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the processes go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.running.values():
            os.killpg(process.pid, number)

    def cut(self) -> None:
        """Cut the link. Nobody is told."""
        _ip("-n", self.network.switch, "link", "set", self.name, "down")

    def mend(self) -> None:
        """Give the link back."""
        _ip("-n", self.network.switch, "link", "set", self.name, "up")

    def lose_power(self) -> None:
        """Everything ends at once, and no peer gets a last word; `start` runs the processes on a fresh machine."""
        self.cut()
        self.kill()
        self.remove()
        self.plug_in()

    def slow(self, *, kbit_per_s: int) -> None:
        """Let the link carry so little, in both directions."""
        shape = ["root", "tbf", "rate", f"{kbit_per_s}kbit", "burst", "16kb", "latency", "4s"]
        for namespace, link in self._ends():
            subprocess.run(["tc", "-n", namespace, "qdisc", "add", "dev", link, *shape], check=True)

    def unslow(self) -> None:
        """Give the link its speed back."""
        for namespace, link in self._ends():
            subprocess.run(["tc", "-n", namespace, "qdisc", "del", "dev", link, "root"], check=True)

    def _ends(self) -> list[tuple[str, str]]:
        return [(self.network.switch, self.name), (self.namespace, "eth0")]
