"""Django's admin: the tables of audit, read-only."""

from governance.audit.models import AuditEvent, Checkpoint
from governance.site.admin import register_read_only

register_read_only(AuditEvent, Checkpoint)
