"""Django's admin: the tables of jobs, read-only."""

from governance.jobs.models import OutboxMessage
from governance.site.admin import register_read_only

register_read_only(OutboxMessage)
