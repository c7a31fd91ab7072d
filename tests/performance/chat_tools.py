"""Peers that send prompts to a language model, each asked for the same load, and what it then says.

The truth is computed: requests that are due at a constant rate wait, first in first out, for one of the connections;
the server answers as its law says, and for a while neither reads nor writes.
"""

import contextlib
import heapq
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from examples.support_assistant.double.law import Law
from tests.performance.load_tools import OUR_CORE, THEIR_CORE
from tests.performance.peer_environments import AIPERF, GUIDELLM, Absent, program_of

WAIT_S, START_S = 600, 90


@dataclass(frozen=True)
class Load:
    """What each tool is asked for; `connections` is the most requests in flight."""

    rate: int
    seconds: int
    connections: int
    tokens: int

    @property
    def requests(self) -> int:
        return self.rate * self.seconds


@dataclass(frozen=True)
class Told:
    """What a tool reported: p50 and p99 of what it calls TTFT, what it counts it from, and of the time per token."""

    tool: str
    counted_from: str
    requests: int
    errors: int
    ttft_p50_ms: float
    ttft_p99_ms: float
    tpot_p50_ms: float
    cpu_s: float


def truth(load: Load, law: Law) -> dict[str, np.ndarray]:
    """Return for each request when it was due, sent, first and last answered, in seconds (n,)."""
    start, length = law.freeze or (np.inf, 0.0)
    thaw = start + length

    def outside(moment: float) -> float:
        return thaw if start <= moment < thaw else moment

    free = [0.0] * load.connections
    rows = []
    for due in np.arange(load.requests) / load.rate:
        sent = max(float(due), heapq.heappop(free))
        read = outside(sent)
        first = outside(read + law.ttft_ms / 1e3)
        last = outside(read + (law.ttft_ms + (load.tokens - 1) * law.tpot_ms) / 1e3)
        heapq.heappush(free, last)
        rows.append((due, sent, first, last))
    return dict(zip(("due", "sent", "first", "last"), np.array(rows).T, strict=True))


def run(command: list[str], folder: Path) -> float:
    """Run a tool on the first core; return its processor time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*OUR_CORE, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3_000:]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def questions(load: Load) -> list[str]:
    """One question for each request, and some to spare for tools that take more than they send."""
    return [f"Where is my order number {number}?" for number in range(load.requests + 1_000)]


def written(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def weighbridge(address: str, load: Load, law: Law, folder: Path) -> Told:
    """Ask ours."""
    rows = [
        {"id": f"q-{number}", "prompt": text, "max_tokens": load.tokens} for number, text in enumerate(questions(load))
    ]
    prompts, result = written(folder / "prompts.jsonl", rows), folder / "ours.json"
    options = {
        "--model": law.model,
        "--prompts": prompts,
        "--rate": load.rate,
        "--duration": f"{load.seconds}s",
        "--arrivals": "constant",
        "--connections": load.connections,
        "--json": result,
    }
    command = [sys.executable, "-m", "weighbridge", "load", f"{address}/v1/chat/completions", "--chat"]
    command += [str(each) for pair in options.items() for each in pair]
    cpu_s = run(command, folder)
    document = json.loads(result.read_text())
    metrics = document["metrics"]
    assert "ttft_p99_ms" in metrics, document["verdict"]["reasons"]
    return Told(
        "weighbridge load --chat",
        "due",
        metrics["ttft_p99_ms"]["n"],
        sum(error["count"] for error in document["errors"]),
        metrics["ttft_p50_ms"]["value"],
        metrics["ttft_p99_ms"]["value"],
        metrics["tpot_p50_ms"]["value"],
        cpu_s,
    )


@contextlib.contextmanager
def guidellm_server(law: Law, *, tokens: int) -> Iterator[str]:
    """Serve as guidellm's mock server does, with the times of a law; yields its address. Raises Absent without it."""
    program = program_of(GUIDELLM)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [*THEIR_CORE, str(program), "mock-server", "--port", str(port), "--model", law.model]
    command += ["--ttft-ms", str(law.ttft_ms), "--itl-ms", str(law.tpot_ms), "--output-tokens", str(tokens)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + START_S
            while not _is_open(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Absent("guidellm's mock server did not start.")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def guidellm(address: str, load: Load, law: Law, folder: Path) -> Told:
    """Ask guidellm, whose TTFT begins when a request starts; its ITL is our TPOT."""
    data = written(
        folder / "guidellm.jsonl", [{"prompt": text, "output_tokens_count": load.tokens} for text in questions(load)]
    )
    result = folder / "guidellm.json"
    backend = f"kind=openai_http,target={address},model={law.model},request_format=/v1/chat/completions"
    command = [str(program_of(GUIDELLM)), "run", "--disable-console", "--backend", backend]
    command += ["--profile", f"kind=constant,rate={load.rate},max_concurrency={load.connections}"]
    command += ["--constraint", f"kind=max_duration,seconds={load.seconds}", "--data", f"kind=json_file,path={data}"]
    cpu_s = run([*command, "--output", f"kind=json,path={result}"], folder)
    metrics = json.loads(result.read_text())["benchmarks"][0]["metrics"]
    ttft = metrics["time_to_first_token_ms"]["successful"]
    totals = metrics["request_totals"]
    return Told(
        "guidellm run",
        "request start",
        totals["successful"],
        totals["errored"],
        ttft["median"],
        ttft["percentiles"]["p99"],
        metrics["inter_token_latency_ms"]["successful"]["median"],
        cpu_s,
    )


def aiperf(address: str, load: Load, law: Law, folder: Path) -> Told:
    """Ask AIPerf, whose TTFT begins when a request is sent; its ITL is our TPOT."""
    data = written(folder / "aiperf.jsonl", [{"text": text} for text in questions(load)])
    options = {
        "--model": law.model,
        "--url": address,
        "--endpoint-type": "chat",
        "--tokenizer": byte_tokenizer(folder / "tokenizer"),
        "--request-rate": load.rate,
        "--arrival-pattern": "constant",
        "--concurrency": load.connections,
        "--benchmark-duration": load.seconds,
        "--input-file": data,
        "--custom-dataset-type": "single_turn",
        "--ui": "none",
        "--artifact-dir": folder / "aiperf",
    }
    command = [str(program_of(AIPERF)), "profile", "--streaming", "--use-server-token-count"]
    cpu_s = run([*command, *(str(each) for pair in options.items() for each in pair)], folder)
    found = json.loads((folder / "aiperf" / "profile_export_aiperf.json").read_text())
    errors = found.get("error_request_count") or {"avg": 0}
    return Told(
        "aiperf profile",
        "sent",
        int(found["request_count"]["avg"]),
        int(errors["avg"]),
        found["time_to_first_token"]["p50"],
        found["time_to_first_token"]["p99"],
        found["inter_token_latency"]["p50"],
        cpu_s,
    )


def byte_tokenizer(folder: Path) -> Path:
    """Write a tokenizer of single bytes: AIPerf does not start without one, and would fetch its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(exist_ok=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*letters, "<end>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "pad_token": "<end>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def as_table(told: list[Told]) -> str:
    """What the tools said, side by side."""
    titles = f"{'p50 ms':>8} {'p99 ms':>8} {'TPOT ms':>8} {'CPU s':>7}"
    head = f"{'tool':<24} {'TTFT from':<14} {'requests':>9} {'errors':>7} {titles}"
    lines = [
        f"{one.tool:<24} {one.counted_from:<14} {one.requests:>9,} {one.errors:>7} {one.ttft_p50_ms:>8.1f}"
        f" {one.ttft_p99_ms:>8.1f} {one.tpot_p50_ms:>8.2f} {one.cpu_s:>7.1f}"
        for one in told
    ]
    return "\n".join([head, *lines])
