"""Tables of tickets and their constraints."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.inventory.enums import KINDS
from governance.people.models import Team
from reviews.requests.models import ReviewRequest
from reviews.tickets.domain.moves import Meaning, MoveOutcome, ReconciliationMode
from reviews.tickets.domain.routing import RouteScope, Work

WORKS = [(work.value, work.label) for work in Work]
CLIENT_ID_CHARS_MAX = 100
MODES = [*((mode.value, mode.value) for mode in ReconciliationMode), ("never", "never")]


class SiteState(models.TextChoices):
    """The state of a site. No ticket is opened in a site that is being set up; a removed site keeps its tickets."""

    SETUP = "setup", "Being set up"
    ACTIVE = "active", "Active"
    REMOVED = "removed", "Removed"


class Access(models.TextChoices):
    """How Weighbridge signs in to a site."""

    ACCOUNT = "account", "E-mail address and API token"
    TOKEN = "token", "Personal access token"
    OAUTH = "oauth", "OAuth 2.0"


class TicketSite(models.Model):
    """A site of the ticket tracker. `credential` and the secrets of its webhook are encrypted.

    With OAuth, `credential` is the secret of the app, and the tokens are those of its grant.
    `server` is what the site said it is, in words; `flavor` and `version` are the same for the adapter. `steps` are
    those of the last test of the connection.
    """

    name = models.CharField(max_length=60)
    base_url = models.CharField(max_length=200)
    flavor = models.CharField(max_length=20)
    version = models.CharField(max_length=40)
    server = models.CharField(max_length=120)
    signs_webhooks = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=SiteState.choices, default=SiteState.SETUP)
    access = models.CharField(max_length=8, choices=Access.choices, blank=True)
    account = models.CharField(max_length=254, blank=True)
    credential = models.BinaryField(null=True)
    webhook_secret = models.BinaryField(null=True)
    webhook_secret_before = models.BinaryField(null=True)
    webhook_at = models.DateTimeField(null=True)
    settle_s = models.PositiveSmallIntegerField(default=45)
    comparison = models.CharField(max_length=8, choices=MODES, default=ReconciliationMode.PULL.value)
    is_ok = models.BooleanField(null=True)
    steps = models.JSONField(default=list)
    tested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="one_site_per_name", condition=~Q(state=SiteState.REMOVED)),
            models.CheckConstraint(
                name="active_site_has_a_credential",
                condition=~Q(state=SiteState.ACTIVE) | Q(credential__isnull=False, tested_at__isnull=False),
            ),
            models.CheckConstraint(
                name="removed_site_has_no_secret",
                condition=~Q(state=SiteState.REMOVED)
                | Q(credential=None, webhook_secret=None, webhook_secret_before=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OAuthGrant(models.Model):
    """The access to a site that Atlassian gave to an app. Both tokens are encrypted.

    Atlassian accepts each refresh token once: whoever uses it locks the row, and stores the next one first.
    """

    site = models.OneToOneField(TicketSite, on_delete=models.PROTECT, related_name="grant")
    client_id = models.CharField(max_length=CLIENT_ID_CHARS_MAX)
    cloud_id = models.CharField(max_length=40)
    access_token = models.BinaryField()
    refresh_token = models.BinaryField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.site.name} {self.client_id}"


class TicketRoute(models.Model):
    """The project and issue type in which the tickets of a scope are opened, and how their fields and moves map.

    `fields` go into each new ticket as they are, by field id; `field_map` names the field and its type for each of our
    values; `statuses` are the statuses by occasion, `moves` the meanings of statuses, where they are not the usual.
    """

    site = models.ForeignKey(TicketSite, on_delete=models.PROTECT, related_name="routes")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    subject_kind = models.CharField(max_length=10, choices=KINDS, blank=True)
    work = models.CharField(max_length=12, choices=WORKS, blank=True)
    project = models.CharField(max_length=40)
    issue_type = models.CharField(max_length=60)
    fields = models.JSONField(default=dict)
    field_map = models.JSONField(default=dict)
    statuses = models.JSONField(default=dict)
    moves = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "subject_kind", "work"], name="one_route_per_scope", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.site.name}: {self.project}, {self.issue_type}"

    @property
    def scope(self) -> RouteScope:
        """The tickets that it takes."""
        team = self.team.slug if self.team is not None else ""
        return RouteScope(team=team, kind=self.subject_kind, work=self.work)


class TicketState(models.TextChoices):
    """The state of a ticket."""

    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    LINKED = "linked"


class Ticket(models.Model):
    """The ticket of a request or an action item. `label` is its search key, to find it again after a lost response.

    Without a site it waits for a route; without a route that was removed later, it keeps its site.
    """

    request = models.OneToOneField(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="ticket")
    action_item = models.OneToOneField(
        "quarterly.ActionItem", on_delete=models.PROTECT, null=True, related_name="ticket"
    )
    site = models.ForeignKey(TicketSite, on_delete=models.PROTECT, null=True, related_name="tickets")
    route = models.ForeignKey(TicketRoute, on_delete=models.SET_NULL, null=True, related_name="tickets")
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
                name="linked_has_a_key",
                condition=~Q(state=TicketState.LINKED) | (~Q(key="") & ~Q(remote_id="") & Q(site__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["site", "remote_id"], name="one_ticket_per_remote_id", condition=~Q(remote_id="")
            ),
        ]
        indexes = [models.Index(fields=["id"], name="tickets_without_a_site", condition=Q(site__isnull=True))]

    def __str__(self) -> str:
        return self.key or self.label

    @property
    def subject(self) -> tuple[str, str]:
        """Its request or action item, as named in the audit trail: ("request", "MRR-…") or ("action item", "ACT-…")."""
        if self.request is not None:
            return "request", self.request.ref
        return "action item", self.action_item.ref if self.action_item is not None else ""

    @property
    def is_at_removed_site(self) -> bool:
        """Whether its site was removed: it keeps its key, but is not updated any more."""
        return self.site is not None and self.site.state == SiteState.REMOVED


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
    """The account of a user on one site of the tracker. On another site, the same id may be another person's."""

    site = models.ForeignKey(TicketSite, on_delete=models.PROTECT, related_name="identities")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="external_identities")
    account_id = models.CharField(max_length=128)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "user"], name="one_account_per_user_and_site"),
            models.UniqueConstraint(fields=["site", "account_id"], name="one_user_per_account_and_site"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.account_id}"
