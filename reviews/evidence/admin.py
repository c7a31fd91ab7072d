"""Django's admin: the tables of evidence, read-only."""

from governance.site.admin import register_read_only
from reviews.evidence.models import (
    ChecklistAnswer,
    ContradictionAnswer,
    Determination,
    Fact,
    RequestProjection,
    Traffic,
    Waiver,
)

register_read_only(ChecklistAnswer, ContradictionAnswer, Determination, Fact, RequestProjection, Traffic, Waiver)
