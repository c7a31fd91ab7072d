"""The gate check: may this artifact be deployed to this environment? Asks a server, or the feed, offline.

The answers are: allowed, refused, cannot tell. Only what a trusted key signed counts: about this artifact, in this
environment, not expired, and fresh. Anything that cannot be checked is never allowed.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from weighbridge.client.feed.document import read_feed
from weighbridge.client.feed.keys import read_public_keys
from weighbridge.client.feed.summaries import read_summary, summary_answer
from weighbridge.client.feed.verdicts import REASONS_MAX, GateReply, GateVerdict, cannot_tell, plain_text
from weighbridge.client.server import PlatformServer
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid, Refused

ANSWERS = {"allow": GateVerdict.ALLOWED, "deny": GateVerdict.REFUSED}


def check_digest(digest: str) -> str:
    """Return the digest; raise Invalid if it is malformed."""
    if not is_digest(digest):
        text = f"{digest!r} is not a digest; write sha256: and 64 lower-case hexadecimal digits."
        raise Invalid(text, code="digest", field="digest")
    return digest


def ask_server(
    server: PlatformServer,
    *,
    digest: str,
    environment: str,
    keys: Sequence[str],
    now: Callable[[], datetime],
    max_age: timedelta | None = None,
) -> GateReply:
    """Ask the server. Its signed summary decides; the reasons are its own words, and are only shown."""
    try:
        document = server.get("/api/v1/gate/", subject=digest, env=environment)
        summary = read_summary(document.get("summary"), keys=keys)
        reply = summary_answer(summary, digest=digest, environment=environment, now=now(), max_age=max_age)
    except Refused as refused:
        return cannot_tell(refused.reason)
    if reply.answer is not GateVerdict.UNKNOWN and ANSWERS.get(str(document.get("answer"))) is not reply.answer:
        return cannot_tell("The answer of the server contradicts its own signed summary.")
    reasons = document.get("reasons")
    words = [plain_text(str(reason)) for reason in reasons[:REASONS_MAX]] if isinstance(reasons, list) else []
    is_answered = reply.answer is not GateVerdict.UNKNOWN
    return GateReply(reply.answer, tuple(words) if words and is_answered else reply.reasons, reply.expires_at)


def ask_feed(
    feed: Path,
    *,
    public_key: Path,
    digest: str,
    environment: str,
    now: datetime,
    max_age: timedelta | None = None,
) -> GateReply:
    """Decide by a feed file, without a server; a feed that cannot be verified, or is stale, cannot tell."""
    try:
        found = read_feed(feed, keys=read_public_keys(public_key))
    except Refused as refused:
        return cannot_tell(refused.reason)
    return found.answer(digest=digest, environment=environment, now=now, max_age=max_age)


def within(seconds: float, ask: Callable[[], GateReply]) -> GateReply:
    """Return the answer if it comes within a total time, name resolution included; otherwise `cannot tell`."""
    answers: queue.Queue[GateReply] = queue.Queue()
    # A daemon, because nothing can stop a name resolution that hangs; the process does not wait for it.
    threading.Thread(target=lambda: answers.put(ask()), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return cannot_tell(f"No answer came within {seconds:g} s.")
