"""Tables of tickets and their constraints."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviews.requests.models import ReviewRequest
from reviews.tickets.domain import Meaning, MoveOutcome


class TicketState(models.TextChoices):
    """The state of a ticket."""

    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    LINKED = "linked"


class Ticket(models.Model):
    """The ticket of a request or an action item. `label` is its search key, to find it again after a lost response."""

    request = models.OneToOneField(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="ticket")
    action_item = models.OneToOneField(
        "quarterly.ActionItem", on_delete=models.PROTECT, null=True, related_name="ticket"
    )
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
        """Its request or action item, as named in the audit trail: ("request", "MRR-…") or ("action item", "ACT-…")."""
        if self.request is not None:
            return "request", self.request.ref
        return "action item", self.action_item.ref if self.action_item is not None else ""


MEANINGS = [(meaning.value, meaning.value) for meaning in Meaning]
OUTCOMES = [(outcome.value, outcome.value) for outcome in MoveOutcome]


class WebhookDelivery(models.Model):
    """A verified delivery, one row per body. Its body is only a hint and is not stored.

    The signature covers the body alone: whoever repeats a delivery can send it under another identifier.
    """

    identifier = models.CharField(max_length=200, blank=True)
    event = models.CharField(max_length=80, blank=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="deliveries")
    body_digest = models.CharField(max_length=71, unique=True)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-received_at"])]

    def __str__(self) -> str:
        return self.identifier or self.body_digest


class TicketMirror(models.Model):
    """When a ticket was last read and last changed. Its status is stored in the ticket."""

    ticket = models.OneToOneField(Ticket, on_delete=models.PROTECT, related_name="mirror")
    remote_updated_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.ticket} read {self.read_at:%Y-%m-%d %H:%M}"


class TicketComment(models.Model):
    """A comment on a ticket as read from the tracker. For our own comments only the id is stored, to recognize them."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="comments")
    remote_id = models.CharField(max_length=40)
    is_ours = models.BooleanField(default=False)
    author_id = models.CharField(max_length=128, blank=True)
    author = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "remote_id"], name="one_comment_per_remote_id")]

    def __str__(self) -> str:
        return f"{self.ticket} comment {self.remote_id}"

    @property
    def is_edited(self) -> bool:
        """Whether its author changed it later."""
        return self.updated_at > self.created_at


class TicketMove(models.Model):
    """A move of the ticket in the tracker, processed once. A database trigger prevents changes."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="moves")
    remote_id = models.CharField(max_length=40)
    author_id = models.CharField(max_length=128, blank=True)
    author = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=60)
    moved_at = models.DateTimeField()
    meaning = models.CharField(max_length=12, choices=MEANINGS)
    outcome = models.CharField(max_length=8, choices=OUTCOMES)
    reason = models.TextField(blank=True)
    judged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "remote_id"], name="one_judgment_per_move"),
            models.CheckConstraint(
                name="nothing_is_decided_there", condition=~Q(meaning=Meaning.DECIDE, outcome=MoveOutcome.DONE)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket} to {self.status}"


class ExternalIdentity(models.Model):
    """The tracker account of a user."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="external_identity")
    account_id = models.CharField(max_length=128, unique=True)

    def __str__(self) -> str:
        return f"{self.user_id} {self.account_id}"
