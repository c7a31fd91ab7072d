"""Django's admin: the tables of evidence, read-only."""

from governance.site.admin import register_read_only
from reviews.evidence.models import (
    ChecklistAnswer,
    ContradictionAnswer,
    MetricRecord,
    PolicyEvaluation,
    RequestProjection,
    Traffic,
    Waiver,
)

register_read_only(
    ChecklistAnswer, ContradictionAnswer, PolicyEvaluation, MetricRecord, RequestProjection, Traffic, Waiver
)
