"""Django's admin: the trail, its checkpoints and the outbox, read-only."""

from governance.audit.models import AuditEvent, Checkpoint
from governance.jobs.models import OutboxMessage
from governance.site.admin import register_read_only

register_read_only(AuditEvent, Checkpoint, OutboxMessage)
