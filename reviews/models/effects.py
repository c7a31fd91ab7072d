"""What a review has outside: its ticket and its packet."""

from django.db import models
from django.db.models import Q

from governance.models import Leased
from reviews.models.cycles import ActionItem
from reviews.models.requests import ReviewRequest


class TicketState(models.TextChoices):
    """Where the ticket of a request stands."""

    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    LINKED = "linked"


class Ticket(models.Model):
    """The one ticket of a request or of an action item; `label` finds it again when an answer got lost."""

    request = models.OneToOneField(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="ticket")
    action_item = models.OneToOneField(ActionItem, on_delete=models.PROTECT, null=True, related_name="ticket")
    label = models.CharField(max_length=80, unique=True)
    state = models.CharField(max_length=10, choices=TicketState.choices, default=TicketState.WAITING)
    remote_id = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=40, blank=True)
    url = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=60, blank=True)
    linked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ticket_of_one_thing",
                condition=Q(request__isnull=False, action_item__isnull=True)
                | Q(request__isnull=True, action_item__isnull=False),
            ),
            models.CheckConstraint(
                name="linked_has_a_key", condition=~Q(state=TicketState.LINKED) | (~Q(key="") & ~Q(remote_id=""))
            ),
        ]

    def __str__(self) -> str:
        return self.key or self.label

    @property
    def subject(self) -> tuple[str, str]:
        """What it is the ticket of, as the trail names it: ("request", "MRR-…") or ("action item", "ACT-…")."""
        if self.request is not None:
            return "request", self.request.ref
        return "action item", self.action_item.ref if self.action_item is not None else ""


class Packet(Leased):
    """A review packet: frozen JSON, then its PDF; a failed rendering says why and can be retried."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="packets")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    document_digest = models.CharField(max_length=71)
    stored_as = models.CharField(max_length=200, blank=True, default="")
    pdf_digest = models.CharField(max_length=71, blank=True, default="")
    pages = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="one_packet_per_number")]

    def __str__(self) -> str:
        return f"{self.request} packet {self.number}"
