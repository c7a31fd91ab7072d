"""Runs a double: in this process until it is ended, or in a process or a thread of its own for as long as a block."""

import asyncio
import contextlib
import dataclasses
import http.client
import json
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, cast

from examples.support_assistant.double.answers import AnswerFunction, drawn_words
from examples.support_assistant.double.clock import precise_loop
from examples.support_assistant.double.connection import DoubleConnection
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.pace import StatedPace
from examples.support_assistant.double.serving import Double, MakePace
from weighbridge.core.errors import Invalid

PROGRAM, START_S, TIMEOUT_S = "examples.support_assistant.double", 30.0, 60.0
BACKLOG = 4_096


@dataclasses.dataclass(frozen=True)
class RunningDouble:
    """Where a double answers."""

    address: str

    @property
    def port(self) -> int:
        """The port, on this machine."""
        return int(self.address.rpartition(":")[2])

    def records(self) -> dict[str, Any]:
        """Return what was planned and done: `requests` and `freezes_ns`, on the clock of `time.monotonic_ns`."""
        return self.ask("GET", "/double/records")

    def freeze(self, *, after_s: float, for_s: float) -> None:
        """Let it freeze for `for_s` seconds, `after_s` from now."""
        self.ask("POST", "/double/freeze", {"after_s": after_s, "for_s": for_s})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request and return the document that is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found


async def serve(double: Double, *, port: int = 0) -> asyncio.Server:
    """Start to answer on this machine; port 0 takes a free one. Raises Invalid if it cannot be had."""
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: DoubleConnection(double), "127.0.0.1", port, backlog=BACKLOG
        )
    except OSError as error:
        raise Invalid(f"Port {port} cannot be had: {error.strerror}.", field="port") from error


def address_of(server: asyncio.Server) -> str:
    """Return `http://127.0.0.1:PORT`."""
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextlib.contextmanager
def double_process(
    law: Law, *, answers: str = "", replica: Mapping[str, Any] | None = None, prefix: Sequence[str] = ()
) -> Iterator[RunningDouble]:
    """Run a double in a process of its own; `answers` names a function, `module:name`.

    With the fields of a `replica`, its times are those of continuous batching there, not of the law.

    `prefix` stands before the command and must execute it in its own place, as `taskset` does.
    Raises Invalid if it does not start.
    """
    command = [*prefix, sys.executable, "-m", PROGRAM, "--law", json.dumps(dataclasses.asdict(law))]
    command += ["--answers", answers] if answers else []
    command += ["--replica", json.dumps(replica)] if replica else []
    with running(command) as double:
        yield double


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[RunningDouble]:
    """Run a program that writes its address first, for as long as the block. Raises Invalid if it does not start."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own program
        try:
            yield RunningDouble(_address(process))
        finally:
            process.kill()


def _address(process: "subprocess.Popen[str]") -> str:
    stdout, stderr = cast("IO[str]", process.stdout), cast("IO[str]", process.stderr)
    ready, _, _ = select.select([stdout], [], [], START_S)
    line = stdout.readline().strip() if ready else ""
    if not line.startswith("http://"):
        process.kill()
        last = stderr.read().strip().rpartition("\n")[2]
        raise Invalid(f"The double did not start: {last or 'no output'}.", code="server", field="server")
    return line


@contextlib.contextmanager
def double_thread(
    law: Law, *, answer: AnswerFunction = drawn_words, make_pace: MakePace = StatedPace
) -> Iterator[RunningDouble]:
    """Run a double in a thread, which shares the interpreter with its client: for contents, not for times."""
    loop, ready, found = precise_loop(), threading.Event(), list[str]()

    async def main() -> None:
        async with await serve(Double(law, answer=answer, make_pace=make_pace)) as server:
            found.append(address_of(server))
            ready.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    task = loop.create_task(main())
    task.add_done_callback(lambda _: ready.set())
    thread = threading.Thread(target=_run, args=(loop, task), daemon=True)
    thread.start()
    ready.wait()
    try:
        if not found:
            raise Invalid("The double did not start; its law is refused.", code="server", field="server")
        yield RunningDouble(found[0])
    finally:
        if thread.is_alive():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(Exception):
        loop.run_until_complete(task)
