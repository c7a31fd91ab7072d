"""The model of the demo in a headless browser of this machine, as on the device of a user."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import weighbridge
from examples.company.terminal import Terminal
from weighbridge.core.errors import Refused

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RUNTIME = Path(sys.prefix) / "onnxruntime-web"
# Nothing but the page is asked for, and nothing is kept.
OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
LONGEST_S = 240.0
RESULT = "device.json"
TIMES = ("latency_p50_ms", "latency_p95_ms")


def measure(model: Path, data: Path, beside: Mapping[str, Any], *, folder: Path, say: Terminal) -> dict[str, Any]:
    """Measure the model in a browser, show its times beside those of the worker, and keep the result in `folder`.

    `beside` are the worker's metric values by name. Without a browser or its runtime, the reason is shown, and the
    times of the result are empty.
    """
    browser = find_browser()
    if browser is None:
        say.line("No browser was measured: Chromium is not installed.")
        return {}
    try:
        with opened(browser) as open_page:
            (result,) = weighbridge.measure_on_devices(
                model,
                data=data,
                samples=200,
                duration=3.0,
                runtime=RUNTIME,
                wall=LONGEST_S,
                on_ready=lambda page: open_page(f"{page.link}#start"),
                watcher=weighbridge.Watcher(on_progress=say.progress),
            )
    except Refused as refused:
        say.line(f"No browser was measured: {refused.reason}")
        return {}
    path = folder / RESULT
    path.write_text(json.dumps(result.document, indent=1) + "\n")
    _show(result, beside, path, say)
    return {name: result["metrics"][name] for name in TIMES if name in result["metrics"]}


def find_browser() -> str | None:
    """Return the program of a browser of this machine, if there is one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def opened(browser: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that opens a page in a browser of its own, which ends with the context."""
    # The sandbox of Chromium refuses to start for root, as in containers.
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:

        def open_page(link: str) -> None:
            command = [browser, *OPTIONS, *as_root, f"--user-data-dir={profile}", link]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: S603 -- a browser of this machine, no shell

        try:
            yield open_page
        finally:
            for process in started:
                process.terminate()
                process.wait(timeout=30)


def _show(result: Any, beside: Mapping[str, Any], path: Path, say: Terminal) -> None:
    agreement = result["agreement"]
    agrees = "its answers agree with those of the worker's engine" if agreement["is_within"] else "its answers differ"
    say.done(f"a browser measured the model: {result['verdict']['status']}; {agrees}", str(path))
    for name in TIMES:
        here, there = result["metrics"].get(name), beside.get(name)
        if here and there:
            times = f"browser {here['value']:.3g} ms, worker {float(there['value']):.3g} ms"
            say.line(f"{name:<18} {times}, {here['value'] / float(there['value']):.1f} times as long")
