"""Peers of the load generator, each asked for the same load on one core, and what it then says."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
# Where it is allowed, both sides go before other work of the machine, so that it is they who are measured.
# A session of its own, because Linux weighs sessions (autogroups) against each other before processes within them.
PRIORITY = 'echo -12 > /proc/self/autogroup || true; exec nice -n -12 "$@"'
FIRST = ["setsid", "sh", "-c", PRIORITY, "sh"] if os.geteuid() == 0 else []
OUR_CORE, THEIR_CORE = [*FIRST, "taskset", "-c", "0"], [*FIRST, "taskset", "-c", "1"]
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{{"ok":true}}'; }} }}
}}
"""
LOCUST = """
from locust import FastHttpUser, constant_throughput, task
class User(FastHttpUser):
    wait_time = constant_throughput({rate})
    @task
    def go(self):
        self.client.get("/")
"""


@dataclass(frozen=True)
class Said:
    """What a tool reported of a load, and what it cost."""

    tool: str
    requests: int
    rate_per_s: float
    p99_ms: float | None
    cpu_us: float
    errors: int


def have(program: str, package: str) -> bool:
    """Whether a program is here; Debian's package is installed where that is allowed."""
    if shutil.which(program) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], check=False, timeout=300)
    return shutil.which(program) is not None


def start_nginx(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """Start nginx on the second core as one process, so that it can be frozen whole."""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    return subprocess.Popen([*THEIR_CORE, "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])


def freeze(pid: int, *, after_s: float, seconds: float) -> threading.Thread:
    """Stop a process for a while, later."""

    def work() -> None:
        time.sleep(after_s)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def timed(command: list[str], folder: Path) -> tuple[str, float]:
    """Run a command on the first core; what it printed, and its processor time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*OUR_CORE, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout, done.stderr[-2000:]
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def weighbridge(url: str, rate: int, seconds: int, folder: Path) -> Said:
    """Ask ours."""
    result = folder / "ours.json"
    _, cpu_s = timed(
        [
            sys.executable,
            "-m",
            "weighbridge",
            "load",
            url,
            "--rate",
            str(rate),
            "--duration",
            f"{seconds}s",
            "--arrivals",
            "constant",
            "--connections",
            "128",
            "--json",
            str(result),
        ],
        folder,
    )
    document = json.loads(result.read_text())
    metrics, n = document["metrics"], document["metrics"]["error_rate"]["n"]
    p99 = metrics.get("response_time_p99_ms")
    # Of the generator's process alone; the rest of the command starts Python, computes and writes.
    assert cpu_s > document["run"]["generator_cpu_s"]
    return Said(
        "weighbridge load",
        n,
        metrics["achieved_per_s"]["value"],
        p99["value"] if p99 else None,
        document["run"]["generator_cpu_s"] / n * 1e6,
        sum(error["count"] for error in document["errors"]),
    )


def wrk(url: str, rate: int, seconds: int, folder: Path) -> Said:
    """Ask wrk, which has no rate: it sends as fast as it is answered."""
    text, cpu_s = timed(["wrk", "-t1", "-c128", f"-d{seconds}s", "--latency", url], folder)
    n = int(re.search(r"(\d+) requests in", text)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    p99_ms = float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
    per_s = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return Said("wrk (no rate)", n, per_s, p99_ms, cpu_s / n * 1e6, text.count("Socket errors"))


def h2load(url: str, rate: int, seconds: int, folder: Path) -> Said:
    """Ask h2load, each of whose clients has a rate of its own; p99 from its log."""
    log = folder / "h2load.log"
    clients = 100
    text, cpu_s = timed(
        ["h2load", "--h1", f"-c{clients}", f"-D{seconds}", f"--rps={rate / clients}", f"--log-file={log}", url], folder
    )
    rows = np.loadtxt(log, dtype=np.int64)
    failed = int(re.search(r"(\d+) failed", text)[1])
    per_s = float(re.search(r"([\d.]+) req/s", text)[1])
    return Said(
        "h2load --rps", len(rows), per_s, float(np.quantile(rows[:, 2], 0.99)) / 1e3, cpu_s / len(rows) * 1e6, failed
    )


def hey(url: str, rate: int, seconds: int, folder: Path) -> Said:
    """Ask hey, each of whose workers has a rate of its own."""
    workers = 100
    text, cpu_s = timed(["hey", "-z", f"{seconds}s", "-c", str(workers), "-q", str(rate / workers), url], folder)
    n = sum(int(count) for count in re.findall(r"\[200\]\s+(\d+) responses", text))
    per_s = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    p99_ms = float(re.search(r"99% in ([\d.]+) secs", text)[1]) * 1e3
    return Said("hey -q", n, per_s, p99_ms, cpu_s / n * 1e6, text.count("Error distribution"))


def locust(url: str, rate: int, seconds: int, folder: Path) -> Said:
    """Ask locust's quick client, each of whose users has a rate of its own."""
    users = 100
    (folder / "locustfile.py").write_text(LOCUST.format(rate=rate / users))
    command = [str(Path(sys.executable).with_name("locust")), "--headless", "-u", str(users), "-r", str(users)]
    text, cpu_s = timed([*command, "-t", f"{seconds}s", "-H", url.rstrip("/"), "--json", "--only-summary"], folder)
    entry = json.loads(text[text.index("[") :])[0]
    counts = sorted((float(ms), count) for ms, count in entry["response_times"].items())
    reached = np.cumsum([count for _, count in counts])
    p99_ms = counts[int(np.searchsorted(reached, 0.99 * reached[-1]))][0]
    span_s = entry["last_request_timestamp"] - entry["start_time"]
    n = entry["num_requests"]
    return Said("locust FastHttpUser", n, n / span_s, p99_ms, cpu_s / n * 1e6, entry["num_failures"])


PEERS: dict[str, tuple[str, Callable[[str, int, int, Path], Said]]] = {
    "wrk": ("wrk", wrk),
    "h2load": ("nghttp2-client", h2load),
    "hey": ("hey", hey),
}


def as_table(said: list[Said]) -> str:
    """The figures side by side."""
    lines = [f"{'tool':<20} {'requests':>9} {'achieved/s':>11} {'p99 ms':>9} {'CPU us/request':>15} {'errors':>7}"]
    lines += [
        f"{one.tool:<20} {one.requests:>9,} {one.rate_per_s:>11,.0f} "
        f"{one.p99_ms if one.p99_ms is not None else float('nan'):>9.1f}"
        f" {one.cpu_us:>15.1f} {one.errors:>7}"
        for one in said
    ]
    return "\n".join(lines)
