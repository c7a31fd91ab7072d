"""Django's admin: everything of reviews, read-only; nobody votes or decides there."""

from django.contrib import admin

from governance.people.admin import ReadOnly
from reviews.authorizations import models as authorizations_models
from reviews.evidence import models as evidence_models
from reviews.packets import models as packets_models
from reviews.quarterly import models as quarterly_models
from reviews.requests import models as requests_models
from reviews.scorecard import models as scorecard_models
from reviews.tickets import models as tickets_models
from reviews.voting import models as voting_models

for model in (
    authorizations_models.Authorisation,
    evidence_models.ChecklistAnswer,
    authorizations_models.Condition,
    evidence_models.ContradictionAnswer,
    authorizations_models.Decision,
    evidence_models.Determination,
    evidence_models.Fact,
    packets_models.Packet,
    requests_models.ReviewRequest,
    voting_models.Revision,
    tickets_models.Ticket,
    voting_models.Vote,
    evidence_models.Waiver,
    tickets_models.ExternalIdentity,
    tickets_models.TicketComment,
    tickets_models.TicketMirror,
    tickets_models.TicketMove,
    tickets_models.WebhookDelivery,
    quarterly_models.ReviewCycle,
    quarterly_models.AgendaItem,
    quarterly_models.Attendance,
    quarterly_models.MeetingDecision,
    quarterly_models.ActionItem,
    scorecard_models.Kpi,
    scorecard_models.KpiActual,
    evidence_models.RequestProjection,
    quarterly_models.CyclePacket,
    quarterly_models.RenderedSection,
    evidence_models.Traffic,
    authorizations_models.ReReview,
):
    admin.site.register(model, ReadOnly)
