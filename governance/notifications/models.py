"""Tables of notifications: what people and channels are told, the messages that carry it, and the settings."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import ChannelTimes, MailHours
from governance.notifications.domain.kinds import CHANNEL_PACES, MAILED, NoticePace, title_of
from governance.people.models import Team

User = settings.AUTH_USER_MODEL
PACES = [(pace.value, pace.words) for pace in NoticePace]
CHANNEL_PACE_CHOICES = [(pace.value, words) for pace, words in CHANNEL_PACES.items()]
USUAL = MailHours()
OF_A_DAY = Q(digest_hour__lt=24, quiet_from__lt=24, quiet_to__lt=24)
FLAVORS = [(flavor.value, flavor.label) for flavor in WebhookFlavor]
MAIL, CALL = "notification.mail", "notification.call"
"""The kinds of outbox messages that deliver a dispatch."""
ANSWER_CHARS_MAX = 1_000
REFERENCE_CHARS_MAX, SENTENCE_CHARS_MAX = 200, 1_000
ONE_RECIPIENT = Q(person__isnull=False, webhook__isnull=True) | Q(person__isnull=True, webhook__isnull=False)
WAITS = Q(dispatch__isnull=True, read_at__isnull=True, pace__in=[pace.value for pace in MAILED])
AT_ONCE = Q(dispatch__isnull=True, read_at__isnull=True, pace=NoticePace.AT_ONCE.value)


def hours_of_row(row: "TeamWebhook | PersonalHours") -> MailHours:
    """The four columns of a row with hours."""
    return MailHours(
        time_zone=row.time_zone, digest_hour=row.digest_hour, quiet_from=row.quiet_from, quiet_to=row.quiet_to
    )


class TeamWebhook(models.Model):
    """An address that is told of the events of a team, at its pace and in its hours.

    The address and the secrets are encrypted.

    During a rotation, messages are also signed with `previous_secret`, until `previous_until`. A removed one stays for
    its log, without its address and its secrets.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="webhooks")
    flavor = models.CharField(max_length=6, choices=FLAVORS)
    name = models.CharField(max_length=80)
    host = models.CharField(max_length=253)
    address = models.BinaryField()
    kinds = models.JSONField(default=list)
    pace = models.CharField(max_length=8, choices=CHANNEL_PACE_CHOICES, default=NoticePace.AT_ONCE.value)
    time_zone = models.CharField(max_length=60, default=USUAL.time_zone)
    digest_hour = models.PositiveSmallIntegerField(default=USUAL.digest_hour)
    quiet_from = models.PositiveSmallIntegerField(default=USUAL.quiet_from)
    quiet_to = models.PositiveSmallIntegerField(default=USUAL.quiet_to)
    secret = models.BinaryField(null=True)
    previous_secret = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["team__name", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="known_webhook_flavor", condition=Q(flavor__in=[flavor.value for flavor in WebhookFlavor])
            ),
            models.CheckConstraint(
                name="signed_webhooks_have_a_secret",
                condition=Q(removed_at__isnull=False)
                | Q(flavor=WebhookFlavor.SIGNED, secret__isnull=False)
                | (~Q(flavor=WebhookFlavor.SIGNED) & Q(secret__isnull=True, previous_secret__isnull=True)),
            ),
            models.CheckConstraint(
                name="removed_webhook_keeps_no_secret",
                condition=Q(removed_at__isnull=True)
                | Q(address=b"", secret__isnull=True, previous_secret__isnull=True),
            ),
            models.CheckConstraint(
                name="previous_secret_has_an_end",
                condition=Q(previous_secret__isnull=True, previous_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_until__isnull=False),
            ),
            models.CheckConstraint(
                name="known_webhook_pace", condition=Q(pace__in=[pace.value for pace in CHANNEL_PACES])
            ),
            models.CheckConstraint(name="webhook_hours_are_of_a_day", condition=OF_A_DAY),
        ]

    def __str__(self) -> str:
        return f"WHK-{self.pk}"

    @property
    def hours(self) -> MailHours:
        """Its hours as the rules take them."""
        return hours_of_row(self)

    @property
    def times(self) -> ChannelTimes:
        """Its pace and its hours."""
        return ChannelTimes(pace=NoticePace(self.pace), hours=self.hours)


class Dispatch(models.Model):
    """One message that leaves: a mail to a person, or a call of a webhook. `kind` is empty for a digest.

    An outbox row delivers it, any number of times; its `key` is the ID by which the recipient knows a repetition.
    """

    key = models.CharField(max_length=160, unique=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    webhook = models.ForeignKey(TeamWebhook, on_delete=models.PROTECT, null=True, related_name="dispatches")
    kind = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(name="dispatch_has_one_recipient", condition=ONE_RECIPIENT)]
        indexes = [models.Index(fields=["person", "kind", "made_at"]), models.Index(fields=["webhook", "made_at"])]

    def __str__(self) -> str:
        return self.key

    @property
    def title(self) -> str:
        """What the message is about."""
        return title_of(self.kind) if self.kind else "Collected notifications"


class Notification(models.Model):
    """A person or a webhook is told, once, of an event. The deputy of an absent person is told `in_place_of` them.

    `pace` says whether a message carries it, and `dispatch` which one.
    """

    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=40)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="notifications")
    webhook = models.ForeignKey(TeamWebhook, on_delete=models.PROTECT, null=True, related_name="notifications")
    in_place_of = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reference = models.CharField(max_length=REFERENCE_CHARS_MAX)
    path = models.CharField(max_length=400)
    sentence = models.CharField(max_length=SENTENCE_CHARS_MAX)
    pace = models.CharField(max_length=8, choices=PACES)
    until = models.DateTimeField(null=True)
    meets_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, null=True, related_name="notifications")

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint("key", "person", "webhook", name="nothing_is_notified_twice", nulls_distinct=False),
            models.CheckConstraint(name="notification_has_one_recipient", condition=ONE_RECIPIENT),
            models.CheckConstraint(name="known_pace", condition=Q(pace__in=[pace.value for pace in NoticePace])),
            models.CheckConstraint(name="path_is_of_this_site", condition=Q(path__regex=r"^/([^/\\]|$)")),
        ]
        indexes = [
            models.Index(fields=["person", "-made_at"]),
            models.Index(fields=["person"], name="unread_notifications", condition=Q(read_at__isnull=True)),
            models.Index(fields=["person", "kind"], name="waiting_notifications", condition=WAITS),
            models.Index(fields=["made_at"], name="notifications_at_once", condition=AT_ONCE),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def title(self) -> str:
        """The title of its kind."""
        return title_of(self.kind)


class NotificationChoice(models.Model):
    """The pace that a person chose for a kind."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    pace = models.CharField(max_length=8, choices=PACES)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="one_pace_of_a_kind"),
            models.CheckConstraint(name="known_chosen_pace", condition=Q(pace__in=[pace.value for pace in NoticePace])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pace}"


class PersonalHours(models.Model):
    """The hours of a person, if they are not the usual ones."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    time_zone = models.CharField(max_length=60)
    digest_hour = models.PositiveSmallIntegerField()
    quiet_from = models.PositiveSmallIntegerField()
    quiet_to = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="hours_are_of_a_day", condition=OF_A_DAY),
        ]

    def __str__(self) -> str:
        return f"{self.digest_hour}:00 {self.time_zone}"

    @property
    def hours(self) -> MailHours:
        """The row as the rules take it."""
        return hours_of_row(self)


class WebhookAttempt(models.Model):
    """One call of a webhook: the status of its answer, 0 if none came, and the first characters of it."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=ANSWER_CHARS_MAX)
    taken_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.dispatch_id} {self.status}"
