"""Django's admin: the tables of rulebook, read-only."""

from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.site.admin import register_read_only

register_read_only(ChecklistVersion, PolicyVersion)
