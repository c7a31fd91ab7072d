"""Commands on another machine, by the system's own ssh: keys, hosts and jumps are those of its configuration.

ssh never asks anything (BatchMode), and output is bounded.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from weighbridge.core.errors import Invalid
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed, sanitize_text

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
POLL_S, LAST_READ_S = 0.2, 10.0
CHUNK = 65_536
MAX_ERROR_BYTES = 20_000
MAX_REASON_CHARS = 500
SSH_FAILED, NO_COMMAND = 255, 127
NO_SSH = "ssh is not installed here; install the OpenSSH client."
# What OpenSSH says -> what to do about it.
REASONS = (
    ("host key verification failed", "its host key is not known here; log in once with `ssh {host}` and confirm it."),
    ("remote host identification has changed", "its host key has changed; see what ssh says about it."),
    ("permission denied", "it does not accept your key; try `ssh {host}`, and load the key into ssh-agent."),
)


@dataclasses.dataclass(frozen=True)
class Done:
    """The end of a command: exit status, standard output, and the end of standard error."""

    status: int
    output: bytes
    error: str


@dataclasses.dataclass(frozen=True)
class RemoteHost:
    """A machine that ssh reaches; `user` and `port` may be left to the configuration of ssh."""

    host: str
    user: str = ""
    port: int | None = None

    @property
    def label(self) -> str:
        """The name for people."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def address(self) -> str:
        """The address as `read_host` takes it."""
        return f"ssh://{self.label}{'' if self.port is None else f':{self.port}'}"

    def command(self, line: str) -> list[str]:
        """Return the ssh command that runs a line in the shell of the machine; raise Invalid without ssh."""
        ssh = shutil.which("ssh")
        if ssh is None:
            raise Invalid(NO_SSH, code="ssh_missing", field="on")
        port = ["-p", str(self.port)] if self.port is not None else []
        return [ssh, "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", *port, "--", self.label, line]

    def run(
        self,
        line: str,
        *,
        stdin: Path | None = None,
        most: int = 1_000_000,
        limit_s: float = 60.0,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Done:
        """Run a line with a file as its standard input.

        Raises Invalid if ssh itself fails, RunFailed after `limit_s` or for more than `most` bytes of output, and
        RunCanceled.
        """
        with tempfile.TemporaryFile() as empty, stdin.open("rb") if stdin is not None else empty as source:
            process = subprocess.Popen(  # noqa: S603 -- ssh of this machine; the line is quoted by its author
                self.command(line),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with process:
                output, error = _collected(process, most, time.monotonic() + limit_s, should_stop, self.label)
        said = sanitize_text(error.decode(errors="replace").strip().replace("\r", ""), most=MAX_ERROR_BYTES)
        if process.returncode == SSH_FAILED:
            raise Invalid(self._reason(said), code="ssh_failed", field="on")
        return Done(process.returncode, output, said)

    def _reason(self, said: str) -> str:
        for sign, advice in REASONS:
            if sign in said.lower():
                return f"ssh cannot log in to {self.label}: {advice.format(host=self.label)}"
        return f"ssh cannot reach {self.label}: {said[-MAX_REASON_CHARS:] or 'it gave no reason'}"


def read_host(address: str) -> RemoteHost:
    """Parse `ssh://[user@]host[:port]`; raise Invalid for anything else."""
    text = f"--on takes an address like ssh://user@host:22, not {address!r}."
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise Invalid(text, field="on") from error
    names = (parts.hostname or "", parts.username or "x")
    # A name that begins with a dash would be an option of ssh.
    is_plain = parts.scheme == "ssh" and parts.path in ("", "/") and not (parts.query or parts.fragment)
    if not is_plain or parts.password is not None or not all(NAME.fullmatch(name) for name in names) or port == 0:
        raise Invalid(text, field="on")
    # The host as written, because names in the configuration of ssh may have capitals.
    written = parts.netloc.rpartition("@")[2].partition(":")[0]
    return RemoteHost(written, parts.username or "", port)


def _collected(
    process: "subprocess.Popen[bytes]", most: int, until: float, should_stop: Callable[[], bool], label: str
) -> tuple[bytes, bytes]:
    """Return output and error of a process once it has ended; raise RunFailed and RunCanceled."""
    output, error = bytearray(), bytearray()
    threads = [
        threading.Thread(target=_read, args=(process.stdout, output, most + 1), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, error, MAX_ERROR_BYTES), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        while reading := [thread for thread in threads if thread.is_alive()]:
            reading[0].join(POLL_S)
            if should_stop():
                raise RunCanceled(f"The run on {label} was canceled.")
            if time.monotonic() > until:
                raise RunFailed(f"{label} did not answer in time, so the run was stopped.", code="run_timeout")
            if len(output) > most:
                raise RunFailed(f"{label} sent more than {most:,} bytes and was stopped.", code="run_output")
    except BaseException:
        # Not after its end, when its number may be that of another process.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        # The pipes are closed after this, which must not happen while they are read.
        for thread in threads:
            thread.join(LAST_READ_S)
    process.wait()
    return bytes(output), bytes(error)


def _read(stream: IO[bytes], kept: bytearray, most: int) -> None:
    """Read a pipe to its end; keep at most `most` bytes of it."""
    while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]  # pipes are buffered
        kept += chunk[: most - len(kept)]
