"""Requests, facts, votes, decisions, and the constraints the database holds."""

from reviews.models.decisions import Authorisation, Condition, Decision, Determination, Revision, Vote, Waiver
from reviews.models.effects import Packet, Ticket, TicketState
from reviews.models.inbound import ExternalIdentity, TicketComment, TicketMirror, TicketMove, WebhookDelivery
from reviews.models.requests import ChecklistAnswer, ContradictionAnswer, Fact, ReviewRequest

__all__ = [
    "Authorisation",
    "ChecklistAnswer",
    "Condition",
    "ContradictionAnswer",
    "Decision",
    "Determination",
    "ExternalIdentity",
    "Fact",
    "Packet",
    "ReviewRequest",
    "Revision",
    "Ticket",
    "TicketComment",
    "TicketMirror",
    "TicketMove",
    "TicketState",
    "Vote",
    "Waiver",
    "WebhookDelivery",
]
