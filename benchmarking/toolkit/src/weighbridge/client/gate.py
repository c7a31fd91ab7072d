"""The gate's question: may this artifact go into this environment? Asked of a server, or of a signed statement offline.

Three answers, and doubt is never a yes: allowed, refused, cannot tell.
"""

import dataclasses
import json
import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.core.errors import Invalid, Refused

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MOST_STATEMENT_BYTES = 1 << 20


class GateVerdict(StrEnum):
    """What the gate said."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "cannot tell"


@dataclasses.dataclass(frozen=True)
class GateReply:
    """The answer with its reasons, and until when it holds."""

    answer: GateVerdict
    reasons: tuple[str, ...]
    expires_at: str | None = None


def check_digest(digest: str) -> str:
    """Return the digest; raise Invalid when it is none."""
    if not DIGEST.fullmatch(digest):
        text = f"{digest!r} is no digest; it looks like sha256: and 64 hexadecimal digits in lower case."
        raise Invalid(text, code="digest", field="digest")
    return digest


def ask_server(server: PlatformServer, *, digest: str, environment: str) -> GateReply:
    """Ask the server; an answer that does not come, or that is not understood, is `cannot tell`."""
    try:
        said = server.get("/api/v1/gate/", subject=digest, env=environment)
    except ServerRefused as refused:
        return GateReply(GateVerdict.UNKNOWN, (refused.reason,))
    answers = {"allow": GateVerdict.ALLOWED, "deny": GateVerdict.REFUSED}
    answer = answers.get(str(said.get("answer")), GateVerdict.UNKNOWN)
    return GateReply(answer, _words(said.get("reasons")), said.get("expires_at"))


def ask_statement(statement: Path, *, public_key: Path, digest: str, environment: str, now: datetime) -> GateReply:
    """Verify a signed statement with the server's public key and ask it; what cannot be verified is `cannot tell`."""
    from weighbridge.core import attestation

    try:
        envelope = _read_json(statement)
        said = attestation.verify(envelope, public_key_pem=_read(public_key).decode(errors="replace"))
    except Refused as refused:
        return GateReply(GateVerdict.UNKNOWN, (refused.reason,))
    reply = attestation.allows(said, digest=digest, environment=environment, now=now)
    return GateReply(GateVerdict.ALLOWED if reply.is_allowed else GateVerdict.REFUSED, reply.reasons)


def _words(reasons: object) -> tuple[str, ...]:
    return tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else ()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_STATEMENT_BYTES)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="file_unreadable") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path.name} is no JSON document.", code="file_unreadable") from error
    if not isinstance(document, dict):
        raise Invalid(f"{path.name} is no signed statement.", code="file_unreadable")
    return document
