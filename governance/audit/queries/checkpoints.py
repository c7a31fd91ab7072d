"""Reads of the checkpoints, and whether the trail still is what they say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

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


def signed_of(row: Checkpoint) -> Signed:
    """A stored checkpoint as it is printed."""
    return Signed(checkpoint.CheckpointStatement(row.count, row.head, row.at), row.key_id, row.signature)


def own_keys() -> list[str]:
    """The public key (PEM) of this installation, where it lies at hand."""
    try:
        return [public_key()]
    except WrongState:
        return []


def faults(*, public_keys: Iterable[str]) -> list[str]:
    """Every way in which the trail contradicts its checkpoints, or these each other, in words; the oldest first."""
    rows = list(Checkpoint.objects.order_by("count"))
    keys = {attestation.key_id(key): key for key in public_keys}
    known = {row.count for row in rows}
    announced = AuditEvent.objects.filter(kind=ANNOUNCED).order_by("position").values_list("position", flat=True)
    removed = [f"The checkpoint after event {each} was removed." for each in announced if each not in known]
    return faults_of([signed_of(row) for row in rows], keys=keys) + removed


def faults_of(signed: Sequence[Signed], *, keys: Mapping[str, str]) -> list[str]:
    """What is wrong with the signatures of these checkpoints, and in what the trail contradicts them. `keys`: PEM by
    id.
    """
    places = [each.checkpoint.count for each in signed]
    heads = dict(AuditEvent.objects.filter(position__in=places).values_list("position", "hash"))
    return [
        fault for each in signed for fault in _faults(each, keys.get(each.key_id), heads.get(each.checkpoint.count))
    ]


def _faults(signed: Signed, key: str | None, head: str | None) -> Iterator[str]:
    said = signed.checkpoint
    name = f"The checkpoint after event {said.count} of {said.at:%Y-%m-%d %H:%M} UTC"
    if key is None:
        yield f"{name} names the key {signed.key_id}, which is not at hand; give its public half with --public-key."
    elif not _is_genuine(signed, key):
        yield f"{name} was not signed by the key it names: it is forged or altered."
    if head is None:
        yield f"{name} names more events than there are: the last ones were removed from the trail."
    elif head != said.head:
        yield f"{name} names another event: the trail was rewritten."


def _is_genuine(signed: Signed, key: str) -> bool:
    try:
        checkpoint.verify(signed, public_key_pem=key)
    except Invalid:
        return False
    return True
