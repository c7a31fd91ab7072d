"""Reads of checkpoints, and comparison of the trail with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet, Subquery

from governance.audit.domain import checkpoint
from governance.audit.domain.checkpoint import Signed
from governance.audit.models import AuditEvent, Checkpoint
from governance.audit.queries.keys import public_key
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid, WrongState

ANNOUNCED = "audit.checkpointed"


def latest() -> Checkpoint | None:
    """The newest checkpoint."""
    return Checkpoint.objects.order_by("-count").first()


def unsigned_since(then: datetime) -> QuerySet[AuditEvent]:
    """The events of the trail if its newest checkpoint is not younger than `then`, otherwise none."""
    newest = Subquery(Checkpoint.objects.order_by("-count").values("at")[:1])
    return AuditEvent.objects.alias(signed_at=newest).filter(Q(signed_at=None) | Q(signed_at__lte=then))


def signed_of(row: Checkpoint) -> Signed:
    """A stored checkpoint in its signed form."""
    return Signed(checkpoint.CheckpointStatement(row.count, row.head, row.at), row.key_id, row.signature)


def own_keys() -> list[str]:
    """The public key (PEM) of this installation by ID, if the key is available."""
    try:
        return [public_key()]
    except WrongState:
        return []


def contradictions(*, public_keys: Iterable[str]) -> list[str]:
    """All contradictions between the trail and its checkpoints, as sentences, oldest checkpoint first."""
    rows = list(Checkpoint.objects.order_by("count"))
    keys = {attestation.key_id(key): key for key in public_keys}
    known_counts = {row.count for row in rows}
    announced = AuditEvent.objects.filter(kind=ANNOUNCED).order_by("position").values_list("position", flat=True)
    removed = [f"The checkpoint after event {each} was removed." for each in announced if each not in known_counts]
    return contradictions_of([signed_of(row) for row in rows], keys=keys) + removed


def contradictions_of(signed: Sequence[Signed], *, keys: Mapping[str, str]) -> list[str]:
    """Invalid signatures of these checkpoints, and contradictions with the trail, as sentences. `keys`: PEM by ID."""
    places = [each.checkpoint.count for each in signed]
    heads = dict(AuditEvent.objects.filter(position__in=places).values_list("position", "hash"))
    return [
        fault for each in signed for fault in _faults(each, keys.get(each.key_id), heads.get(each.checkpoint.count))
    ]


def _faults(signed: Signed, key: str | None, head: str | None) -> Iterator[str]:
    statement = signed.checkpoint
    name = f"The checkpoint after event {statement.count} of {statement.at:%Y-%m-%d %H:%M} UTC"
    if key is None:
        yield f"{name} names the key {signed.key_id}, which is not available. Give its public key with --public-key."
    elif not _is_genuine(signed, key):
        yield f"{name} was not signed by the key that it names: it is forged or changed."
    if head is None:
        yield f"{name} names more events than the trail has: the last events were removed."
    elif head != statement.head:
        yield f"{name} does not match the trail: events were changed."


def _is_genuine(signed: Signed, key: str) -> bool:
    try:
        checkpoint.verify(signed, public_key_pem=key)
    except Invalid:
        return False
    return True
