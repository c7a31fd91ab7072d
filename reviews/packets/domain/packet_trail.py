"""The audit trail in a packet: the events of its request, the head of the whole chain, and the checkpoint that signs
it.
"""

from dataclasses import dataclass
from datetime import datetime

from governance.audit.domain.checkpoint import CheckpointStatement, Signed

AUDIT_ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One event of the trail."""

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
        """The line that `manage.py audit verify --checkpoint` takes."""
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
        """The latest events, as many as print well; the JSON twin has them all."""
        return self.rows[-AUDIT_ROWS_SHOWN:]

    @property
    def left_out(self) -> int:
        """How many earlier events are not printed."""
        return len(self.rows) - len(self.shown)
