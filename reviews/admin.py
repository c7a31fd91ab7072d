"""Django's admin: everything of reviews, read-only; nobody votes or decides there."""

from django.contrib import admin

from governance.admin import ReadOnly
from reviews import models

for model in (
    models.Authorisation,
    models.ChecklistAnswer,
    models.Condition,
    models.ContradictionAnswer,
    models.Decision,
    models.Determination,
    models.Fact,
    models.Packet,
    models.ReviewRequest,
    models.Revision,
    models.Ticket,
    models.Vote,
    models.Waiver,
    models.ExternalIdentity,
    models.TicketComment,
    models.TicketMirror,
    models.TicketMove,
    models.WebhookDelivery,
    models.ReviewCycle,
    models.AgendaItem,
    models.Attendance,
    models.MeetingDecision,
    models.ActionItem,
    models.Kpi,
    models.KpiActual,
    models.RequestProjection,
    models.CyclePacket,
    models.RenderedSection,
    models.Traffic,
    models.ReReview,
):
    admin.site.register(model, ReadOnly)
