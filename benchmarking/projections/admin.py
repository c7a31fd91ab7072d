"""Django's admin: the tables of projections, read-only."""

from benchmarking.projections.models import CostProjection
from governance.site.admin import register_read_only

register_read_only(CostProjection)
