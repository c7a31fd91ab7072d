"""A command: a program that reads one row as a line of JSON, and answers with a line of JSON.

It is started once, before the first row, and runs with the rights of the person who named it.
"""

import contextlib
import select
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any, cast

from numpy.typing import NDArray

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.engine_errors import ModelFailed
from weighbridge.systems.external.rows import json_of, outputs_of, specs_of_file
from weighbridge.systems.registry import OF_THIS_PROCESS, Sizes, register

TIMEOUT_S = 60.0
ANSWER_LIMITS = DocumentLimits(bytes_max=16 << 20, values_max=8_000_000)
CHUNK_BYTES = 1 << 16


class CommandRunner:
    """The running program; not thread-safe."""

    def __init__(self, words: Sequence[str], inputs: Sequence[InputSpec]) -> None:
        """Start the program; raise Invalid if it cannot be started."""
        self.inputs, self._words = tuple(inputs), list(words)
        self.outputs: tuple[str, ...] = ()
        self._rest = b""
        try:
            self._process = subprocess.Popen(self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 -- the person named it
            self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        except OSError as error:
            text = f"{self._words[0]} cannot be started: {error.strerror}."
            raise Invalid(text, code="command_missing", field="command") from error

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Write one row, read one answer, and return its outputs; raise ModelFailed."""
        try:
            self._stdin.write(json_of(feed).encode() + b"\n")
            self._stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise self._ended() from error
        named = outputs_of(self._answer(self._line()))
        self.outputs = self.outputs or tuple(named)
        if set(named) != set(self.outputs):
            raise ModelFailed(f"The answer has {', '.join(named)}, the first one had {', '.join(self.outputs)}.")
        return [named[name] for name in self.outputs]

    def _line(self) -> bytes:
        deadline = time.monotonic() + TIMEOUT_S
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                raise ModelFailed(f"The command did not answer within {TIMEOUT_S:g} s; it must answer line by line.")
            chunk = self._stdout.read1(CHUNK_BYTES)  # type: ignore[attr-defined]  # a buffered reader
            if not chunk:
                raise self._ended()
            self._rest += chunk
            if len(self._rest) > ANSWER_LIMITS.bytes_max:
                raise ModelFailed("The answer of the command is too long.")
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _answer(self, line: bytes) -> Any:
        try:
            return parse_json(line, limits=ANSWER_LIMITS)
        except Refused as refused:
            text = f"The command did not answer in JSON: {line[:80].decode(errors='replace')!r}."
            raise ModelFailed(text) from refused

    def _ended(self) -> ModelFailed:
        self.close()
        return ModelFailed(f"The command ended with status {self._process.returncode} before it answered.")

    def close(self) -> None:
        """End the program."""
        for stream in (self._stdin, self._stdout):
            with contextlib.suppress(OSError):
                stream.close()
        self._process.kill()
        self._process.wait()

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        return {"engine": "command", "command": shlex.join(self._words)}


@register("command", ignores=OF_THIS_PROCESS, reads_data=True)
class Command:
    """The program of the option `command`, a text as in a shell; `data` is the file of its rows."""

    is_here = False

    def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None:
        """Split the command; raise Invalid if it is empty, or without data."""
        try:
            self._words = shlex.split(str(options["command"]))
        except ValueError as error:
            raise Invalid(f"The command cannot be read: {error}.", field="command") from error
        if not self._words:
            raise Invalid("Give the command to run, like --command './predict --model m.bin'.", field="command")
        self._inputs = specs_of_file(options, needs="A command")
        self.model = {"command": shlex.join(self._words), "digest": digest_of({"command": self._words})}

    def sizes(self, _shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return the reasons why nothing about the size of the model is known."""
        names = ("model_size_mb", "parameters", "flops", "peak_memory_mb")
        return Sizes(missing={name: f"{name} is not available for a command." for name in names})

    def ready(self) -> None:
        """Do nothing, because there is no local engine."""

    def load(self) -> CommandRunner:
        """Start the program."""
        return CommandRunner(self._words, self._inputs)
