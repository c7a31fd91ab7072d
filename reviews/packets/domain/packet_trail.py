"""The audit trail in a packet: the events of its request, the head of the chain, and the signed checkpoint."""

from dataclasses import dataclass
from datetime import datetime

from governance.audit.domain.checkpoint import CheckpointStatement, Signed

AUDIT_ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One audit event."""

    number: int
    happened_at: datetime
    actor: str
    action: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPart:
    """The signed head of the whole chain: `count` events, the last with the hash `head`; the signature is base64."""

    count: int
    head: str
    at: datetime
    key_id: str
    signature: str

    @property
    def text(self) -> str:
        """The argument for `manage.py audit verify --checkpoint`."""
        return Signed(CheckpointStatement(self.count, self.head, self.at), self.key_id, self.signature).text


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPart:
    """The trail of this request and the head of the whole chain when the packet was frozen."""

    rows: tuple[AuditRow, ...]
    chain_head: str
    chain_length: int
    checkpoint: CheckpointPart | None = None

    @property
    def shown(self) -> tuple[AuditRow, ...]:
        """The latest events, up to the print limit. The JSON document has all events."""
        return self.rows[-AUDIT_ROWS_SHOWN:]

    @property
    def left_out(self) -> int:
        """How many earlier events are not printed."""
        return len(self.rows) - len(self.shown)
