"""Atlassian's own description of Jira as a judge between adapter and stand-in.

Prism (`@stoplight/prism-cli`) stands between the two as a proxy and says of every request and every answer where it
departs from the description. Both are looked for, never demanded: the description beside the project, Prism under
`var/prism`, put there by `python -m tests.promises.prism` (npm, some 90 MB, half a minute) or by the long form of the
promises.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from config import env

PACKAGE = "@stoplight/prism-cli@5.14.2"
DESCRIPTION = env.ROOT.parent / "shared" / "jira" / "jira-v3.openapi.json"
CORNER = ("serverInfo", "myself", "field", "status", "mypermissions", "project/{projectIdOrKey}", "issue", "search/jql")
PATIENCE_S = 60


def folder() -> Path:
    return env.var_folder() / "prism"


def program() -> Path:
    return folder() / "node_modules" / ".bin" / "prism"


def missing() -> str:
    """What keeps the contract from being tested here, or ""."""
    if not DESCRIPTION.exists():
        return f"Atlassian's description of Jira is not at {DESCRIPTION}"
    if not shutil.which("node"):
        return "node is not installed"
    if not program().exists():
        return f"Prism is not in {folder()}; `python -m tests.promises.prism` puts it there"
    return ""


def install() -> None:
    """Put Prism under `var/prism`, if npm is here and it is not there yet."""
    if shutil.which("npm") and not program().exists():
        folder().mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder()), "--no-audit", "--no-fund", "--loglevel=error", PACKAGE]
        subprocess.run(command, check=True, timeout=300)


def prepared() -> dict[str, Any]:
    """The description as Prism can use it: the corner that is spoken here (all 402 paths take three times as long to
    load), examples decoded that are JSON inside strings, and a server that says it is Cloud.
    """
    whole = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    prefix = "/rest/api/3/"
    whole["paths"] = {
        path: kept
        for path, kept in whole["paths"].items()
        if path.removeprefix(prefix) in CORNER or path.startswith(f"{prefix}issue/")
    }
    _decode(whole)
    answer = whole["paths"][f"{prefix}serverInfo"]["get"]["responses"]["200"]["content"]["application/json"]
    answer["example"]["deploymentType"] = "Cloud"
    return whole


def _decode(node: Any) -> None:
    if isinstance(node, list):
        for child in node:
            _decode(child)
    elif isinstance(node, dict):
        for name, child in node.items():
            if name in {"example", "value"} and isinstance(child, str) and child[:1] in {"{", "["}:
                with suppress(ValueError):  # one is an expression of Jira's own
                    node[name] = json.loads(child)
            else:
                _decode(child)


@contextmanager
def between(upstream: str, *, work: Path) -> Iterator[str]:
    """The address of a proxy before `upstream`; `sl-violations` in an answer's headers says what departs from it."""
    description, log = work / "jira.json", work / "prism.log"
    description.write_text(json.dumps(prepared()), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(program()), "proxy", str(description), upstream, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while b"listening" not in log.read_bytes():
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise AssertionError(f"Prism did not start: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


if __name__ == "__main__":
    install()
    print(missing() or f"Prism is ready in {folder()}")
