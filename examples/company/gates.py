"""The gates of the demo: the server, and a mirror of the feed without it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from examples.company.client import Caller, Document
from examples.company.terminal import Terminal

WORDS = {0: "allow", 1: "deny", 2: "unknown"}


def ask_gates(
    decided: Document, other: Path, *, caller: Caller, folder: Path, say: Terminal
) -> dict[str, dict[str, str]]:
    """Ask both gates about the approved artifact and about another file; return their answers.

    Raises SystemExit unless both allow the one and deny the other.
    """
    approved = decided["authorization"]["subject_digest"]
    stranger = f"sha256:{hashlib.sha256(other.read_bytes()).hexdigest()}"
    key, feed = folder / "public-key.pem", folder / "feed.json"
    key.write_text(caller.get("keys/")["public_key_pem"])
    if _weighbridge("feed", "pull", str(feed), *_at(caller), key=key, token=caller.server.token) != 0:
        raise SystemExit("The feed could not be mirrored.")
    answers: dict[str, dict[str, str]] = {}
    for subject, digest in (("approved_artifact", approved), ("another_artifact", stranger)):
        question = ("gate", digest, "--env", "prod")
        online = _weighbridge(*question, *_at(caller), key=key, token=caller.server.token)
        offline = _weighbridge(*question, "--feed", str(feed), key=key)
        for source, status in (("the server", online), ("the feed alone", offline)):
            what = f"{subject.replace('_', ' ')}, answer from {source}: {WORDS.get(status, status)}"
            say.done(what, f"weighbridge gate … --env prod exits {status}")
        answers[subject] = {"server": WORDS.get(online, "unknown"), "feed": WORDS.get(offline, "unknown")}
    if [set(answer.values()) for answer in answers.values()] != [{"allow"}, {"deny"}]:
        raise SystemExit("The gate did not give the expected answers.")
    return answers


def _at(caller: Caller) -> tuple[str, str]:
    return "--server", caller.server.url


def _weighbridge(*arguments: str, key: Path, token: str = "") -> int:
    """The exit status of the command of a pipeline."""
    command = [sys.executable, "-m", "weighbridge", *arguments]
    environment = {**os.environ, "WEIGHBRIDGE_TOKEN": token, "WEIGHBRIDGE_PUBLIC_KEY": str(key)}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode  # noqa: S603 -- our own command
