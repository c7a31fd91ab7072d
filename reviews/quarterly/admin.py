"""Django's admin: the tables of quarterly, read-only."""

from governance.site.admin import register_read_only
from reviews.quarterly.models import (
    ActionItem,
    AgendaItem,
    Attendance,
    CyclePacket,
    MeetingDecision,
    RenderedSection,
    ReviewCycle,
)

register_read_only(ActionItem, AgendaItem, Attendance, CyclePacket, MeetingDecision, RenderedSection, ReviewCycle)
