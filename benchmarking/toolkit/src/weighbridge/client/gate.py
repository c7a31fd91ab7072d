"""The gate check: may this artifact be deployed to this environment? Asks a server, or a signed statement offline.

The answers are: allowed, refused, cannot tell. Anything that cannot be checked is never allowed.
"""

import dataclasses
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.json_text import parse_object, read_bytes
from weighbridge.core.parsing.limits import DocumentLimits

STATEMENT = DocumentLimits(bytes_max=1 << 20)


class GateVerdict(StrEnum):
    """The answer of the gate."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "cannot tell"


@dataclasses.dataclass(frozen=True)
class GateReply:
    """The answer with its reasons and its expiry time."""

    answer: GateVerdict
    reasons: tuple[str, ...]
    expires_at: str | None = None


def check_digest(digest: str) -> str:
    """Return the digest; raise Invalid if it is malformed."""
    if not is_digest(digest):
        text = f"{digest!r} is not a digest; write sha256: and 64 lower-case hexadecimal digits."
        raise Invalid(text, code="digest", field="digest")
    return digest


def ask_server(server: PlatformServer, *, digest: str, environment: str) -> GateReply:
    """Ask the server; a missing or unknown answer is `cannot tell`."""
    try:
        document = server.get("/api/v1/gate/", subject=digest, env=environment)
    except ServerRefused as refused:
        return GateReply(GateVerdict.UNKNOWN, (refused.reason,))
    answers = {"allow": GateVerdict.ALLOWED, "deny": GateVerdict.REFUSED}
    answer = answers.get(str(document.get("answer")), GateVerdict.UNKNOWN)
    reasons = document.get("reasons")
    texts = tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else ()
    return GateReply(answer, texts, document.get("expires_at"))


def ask_statement(statement: Path, *, public_key: Path, digest: str, environment: str, now: datetime) -> GateReply:
    """Verify a signed statement with the public key of the server and evaluate it; if that fails, `cannot tell`."""
    from weighbridge.core import attestation

    try:
        envelope = _read_json(statement)
        content = attestation.verify(envelope, public_key_pem=_read(public_key).decode(errors="replace"))
    except Refused as refused:
        return GateReply(GateVerdict.UNKNOWN, (refused.reason,))
    reply = attestation.allows(content, digest=digest, environment=environment, now=now)
    return GateReply(GateVerdict.ALLOWED if reply.is_allowed else GateVerdict.REFUSED, reply.reasons)


def _read(path: Path) -> bytes:
    return read_bytes(path, limits=STATEMENT, code="file_unreadable")


def _read_json(path: Path) -> dict[str, Any]:
    return parse_object(_read(path), name=path.name, code="file_unreadable", limits=STATEMENT)
