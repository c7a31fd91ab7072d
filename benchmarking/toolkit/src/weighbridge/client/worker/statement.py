"""The signed statement of a worker about one run: an in-toto statement in a DSSE envelope.

It names the run, the lease, the plan, the data and the result by digest, so it fits no other run and no other attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from weighbridge.client.worker.measurement import RunOrder
from weighbridge.core import attestation
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of
from weighbridge.core.errors import Invalid

PREDICATE_TYPE = "urn:weighbridge:run-result:v1"
STATED = ("run", "lease", "plan", "data", "result")


@dataclass(frozen=True, kw_only=True)
class RunStatement:
    """What a worker states: digests of model, plan, data ("" without data) and result, the run and its lease."""

    run: str
    lease: int
    model: str
    plan: str
    data: str
    result: str


def statement_of(order: RunOrder, result: Mapping[str, Any]) -> RunStatement:
    """The statement that belongs to an order and its result."""
    measured = order.measurement
    return RunStatement(
        run=order.key,
        lease=order.lease,
        model=measured.model,
        plan=measured.digest,
        data=measured.data,
        result=digest_of(result),
    )


def sign_statement(stated: RunStatement, *, private_key_pem: str) -> dict[str, object]:
    """Return the DSSE envelope of the statement; raise Invalid for a key that is not Ed25519."""
    return attestation.sign(_document(stated), private_key_pem=private_key_pem)


def checked_envelope(envelope: object, *, expected: RunStatement, public_key_pem: str) -> dict[str, object]:
    """Return the envelope if this key signed exactly the expected statement, without anything else that was in it.

    Raises Invalid otherwise; the text names the first difference.
    """
    document, wanted = attestation.verify(envelope, public_key_pem=public_key_pem), _document(expected)
    if document != wanted:
        raise Invalid(_difference(document, expected), code="other_run", field="envelope")
    signatures = envelope["signatures"] if isinstance(envelope, dict) else []
    if len(signatures) != 1:
        raise Invalid("The statement must have one signature, that of the worker.", code="not_dsse", field="envelope")
    own = {"keyid": attestation.key_id(public_key_pem), "sig": signatures[0]["sig"]}
    return {name: envelope[name] for name in ("payloadType", "payload")} | {"signatures": [own]}  # type: ignore[index]  # verified above


def _difference(document: Mapping[str, object], expected: RunStatement) -> str:
    predicate = document.get("predicate")
    stated = predicate if isinstance(predicate, Mapping) else {}
    names = [name for name in STATED if stated.get(name) != getattr(expected, name)]
    what = f"another {names[0]}" if names else "something else"
    return f"The signed statement is about {what} than this run."


def _document(stated: RunStatement) -> dict[str, object]:
    return {
        "_type": attestation.STATEMENT_TYPE,
        "subject": [{"name": "model", "digest": {"sha256": stated.model.removeprefix(DIGEST_PREFIX)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {name: getattr(stated, name) for name in STATED},
    }
