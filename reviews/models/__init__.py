"""Requests, facts, projections, votes, decisions, and the constraints the database holds."""

from reviews.models.cycle_packets import CyclePacket, RenderedSection
from reviews.models.cycles import ActionItem, AgendaItem, Attendance, MeetingDecision, ReviewCycle
from reviews.models.decisions import Authorisation, Condition, Decision, Determination, Revision, Vote, Waiver
from reviews.models.effects import Packet, Ticket, TicketState
from reviews.models.inbound import ExternalIdentity, TicketComment, TicketMirror, TicketMove, WebhookDelivery
from reviews.models.projections import RequestProjection
from reviews.models.re_reviews import ReReview
from reviews.models.requests import ChecklistAnswer, ContradictionAnswer, Fact, ReviewRequest
from reviews.models.scorecard import Kpi, KpiActual
from reviews.models.traffic import Traffic

__all__ = [
    "ActionItem",
    "AgendaItem",
    "Attendance",
    "Authorisation",
    "ChecklistAnswer",
    "Condition",
    "ContradictionAnswer",
    "CyclePacket",
    "Decision",
    "Determination",
    "ExternalIdentity",
    "Fact",
    "Kpi",
    "KpiActual",
    "MeetingDecision",
    "Packet",
    "ReReview",
    "RenderedSection",
    "RequestProjection",
    "ReviewCycle",
    "ReviewRequest",
    "Revision",
    "Ticket",
    "TicketComment",
    "TicketMirror",
    "TicketMove",
    "TicketState",
    "Traffic",
    "Vote",
    "Waiver",
    "WebhookDelivery",
]
