"""Django's admin: the tables of scorecard, read-only."""

from governance.site.admin import register_read_only
from reviews.scorecard.models import Kpi, KpiActual

register_read_only(Kpi, KpiActual)
