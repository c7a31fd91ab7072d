"""Django's admin: the tables of findings, read-only."""

from governance.findings.models import Finding
from governance.site.admin import register_read_only

register_read_only(Finding)
