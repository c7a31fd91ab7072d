"""Django's admin: the tables of runs, read-only."""

from benchmarking.runs.models import Dataset, Run, SandboxChoice
from governance.site.admin import register_read_only

register_read_only(Dataset, Run, SandboxChoice)
