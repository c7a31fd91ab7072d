"""The signed answer about one artifact: a SLSA Verification Summary Attestation, short-lived and bound to a head.

https://slsa.dev/verification_summary/v1. The fields with the prefix `weighbridge_` are extensions of this project.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from weighbridge.client.feed.document import answer_of
from weighbridge.client.feed.entries import Entry, instant, instant_text
from weighbridge.client.feed.heads import Head, freshness_fault, subject_digest
from weighbridge.client.feed.keys import verified
from weighbridge.client.feed.verdicts import GateReply, GateVerdict, cannot_tell, plain_text
from weighbridge.core.attestation import STATEMENT_TYPE
from weighbridge.core.canonical import DIGEST_PREFIX, is_digest
from weighbridge.core.errors import Invalid

PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
RESULTS = {True: "PASSED", False: "FAILED"}
ENVIRONMENT_URI = "urn:weighbridge:environment:"
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the server says of an artifact at `head.issued_at`; it may be used until `head.expires_at`."""

    digest: str
    environment: str
    standing: str
    is_passed: bool
    allowed_until: str | None
    head: Head


def summary_statement(
    head: Head, *, entry: Entry | None, digest: str, environment: str, policy_digest: str
) -> dict[str, object]:
    """Return the statement about an artifact by its latest entry under a head (None: the feed has none)."""
    base = head.origin
    policy: dict[str, object] = {"uri": f"{base}/api/v1/policies/"}
    if policy_digest:
        policy["digest"] = {"sha256": policy_digest.removeprefix(DIGEST_PREFIX)}
    root = {"uri": f"{base}/api/v1/feed/head/", "digest": {"sha256": head.root.removeprefix(DIGEST_PREFIX)}}
    is_passed = entry is not None and entry.allows(head.issued_at)
    standing = entry.standing if entry else UNKNOWN
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"digest": {"sha256": digest.removeprefix(DIGEST_PREFIX)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": base},
            "timeVerified": instant_text(head.issued_at),
            "resourceUri": f"{ENVIRONMENT_URI}{environment}",
            "policy": policy,
            "inputAttestations": [root],
            "verificationResult": RESULTS[is_passed],
            "verifiedLevels": [f"WEIGHBRIDGE_{standing.upper()}"] if is_passed else [],
            "weighbridge_standing": standing,
            "weighbridge_allowedUntil": entry.allowed_until if entry else None,
            "weighbridge_expiresAt": instant_text(head.expires_at),
            "weighbridge_feedSize": head.size,
        },
    }


def read_summary(envelope: object, *, keys: Sequence[str]) -> Summary:
    """Return the summary that one of the keys signed; raise Invalid."""
    statement = verified(envelope, keys=keys)
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise Invalid("The statement is not a verification summary.", code="not_a_summary")
    match statement.get("predicate"):
        case {
            "verifier": {"id": str(origin)},
            "timeVerified": str(verified_at),
            "resourceUri": str(resource),
            "inputAttestations": [{"digest": {"sha256": str(root)}}],
            "verificationResult": "PASSED" | "FAILED" as result,
            "weighbridge_standing": str(standing),
            "weighbridge_allowedUntil": (str() | None) as allowed_until,
            "weighbridge_expiresAt": str(expires_at),
            "weighbridge_feedSize": int(size),
        } if is_digest(DIGEST_PREFIX + root):
            head = Head(origin, size, DIGEST_PREFIX + root, instant(verified_at), instant(expires_at))
            return Summary(
                digest=subject_digest(statement),
                environment=resource.removeprefix(ENVIRONMENT_URI),
                standing=standing,
                is_passed=result == RESULTS[True],
                allowed_until=allowed_until,
                head=head,
            )
    raise Invalid("The verification summary is incomplete.", code="not_a_summary")


def summary_answer(
    summary: Summary, *, digest: str, environment: str, now: datetime, max_age: timedelta | None = None
) -> GateReply:
    """Decide by a verified summary; one about something else, or a stale one, cannot tell."""
    if summary.digest != digest or summary.environment != environment:
        about = f"{summary.digest} in {summary.environment}"
        return cannot_tell(f"The answer is about {about}, not about {digest} in {environment}.")
    head = summary.head
    fault = freshness_fault("The answer", head.issued_at, head.expires_at, max_age=max_age, now=now)
    if fault is not None:
        return cannot_tell(fault)
    entry = Entry(0, digest, environment, plain_text(summary.standing), summary.allowed_until, "")
    if summary.is_passed != entry.allows(head.issued_at):
        return cannot_tell("The result of the verification summary contradicts its standing.")
    reply = answer_of(entry, environment=environment, now=now)
    if reply.answer is GateVerdict.REFUSED and summary.standing == UNKNOWN:
        return GateReply(reply.answer, (f"Nothing is known of this artifact in {environment}.",))
    return reply
