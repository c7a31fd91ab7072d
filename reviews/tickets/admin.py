"""Django's admin: the tables of tickets, read-only."""

from governance.site.admin import register_read_only
from reviews.tickets.models import ExternalIdentity, Ticket, TicketComment, TicketMirror, TicketMove, WebhookDelivery

register_read_only(ExternalIdentity, Ticket, TicketComment, TicketMirror, TicketMove, WebhookDelivery)
