"""Django's admin: the tables of approvals, read-only."""

from governance.people.approvals.models import Change
from governance.site.admin import register_read_only

register_read_only(Change)
