"""JSON shapes of notifications and webhooks."""

from rest_framework import serializers

from governance.notifications.actions.webhooks import NAME_CHARS_MAX
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import MailHours
from governance.notifications.domain.kinds import CATALOG, CHANNEL_PACES, OF_TEAMS, NoticePace
from governance.notifications.queries.preferences import Preferences
from governance.people.models import Team
from governance.site.api.shapes import Answer, Input, answer_of, choice, takes
from weighbridge.core.addresses import URL_CHARS_MAX

IDS_MAX = 1_000
HOUR = {"min_value": 0, "max_value": 23}


class NotificationAnswer(Answer):
    """Something that the asker was told."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    reference = serializers.CharField(help_text="The object that it is about.")
    path = serializers.CharField(help_text="The page of the object, on this server.")
    sentence = serializers.CharField()
    made_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="Until when it matters.")
    read_at = serializers.DateTimeField(allow_null=True)
    in_place_of = serializers.CharField(
        source="in_place_of.username", default=None, allow_null=True, help_text="The absent person."
    )


class NotificationFilters(Input):
    """Which notifications to list."""

    page = serializers.IntegerField(required=False, min_value=1)
    unread = serializers.BooleanField(required=False, help_text="Only what is unread.")


class ReadInput(Input):
    """Which notifications are read."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=IDS_MAX,
        help_text="All of them without it.",
    )


class ReadAnswer(Answer):
    """How many notifications were unread before."""

    read = serializers.IntegerField()


PreferencesAnswer = answer_of(Preferences)


@takes(MailHours, digest_hour=HOUR, quiet_from=HOUR, quiet_to=HOUR)
class PreferencesInput(Input):
    """Paces by kind, and hours. A kind that is not named keeps its pace, and an hour its value."""

    time_zone = serializers.CharField(required=False, max_length=60, help_text="Such as Europe/Berlin.")
    paces = serializers.DictField(
        child=choice(NoticePace), required=False, help_text=f"For some of: {', '.join(CATALOG)}."
    )


class WebhookAnswer(Answer):
    """A webhook, without its address and its secret. A removed one has only its log."""

    id = serializers.IntegerField()
    team = serializers.CharField(source="team.slug")
    flavor = serializers.CharField()
    name = serializers.CharField()
    host = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    pace = serializers.CharField(help_text=f"One of: {', '.join(CHANNEL_PACES)}.")
    time_zone = serializers.CharField()
    digest_hour = serializers.IntegerField()
    quiet_from = serializers.IntegerField()
    quiet_to = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)


class WebhookFilters(Input):
    """Which webhooks to list."""

    page = serializers.IntegerField(required=False, min_value=1)
    removed = serializers.BooleanField(required=False, help_text="Those that were removed, in place of the others.")


@takes(MailHours, digest_hour=HOUR, quiet_from=HOUR, quiet_to=HOUR)
class WebhookChangeInput(Input):
    """The name of a webhook, the kinds that it gets, its pace and its hours. A pace or an hour not named stays."""

    name = serializers.CharField(max_length=NAME_CHARS_MAX)
    kinds = serializers.ListField(child=choice(OF_TEAMS), allow_empty=False, max_length=len(OF_TEAMS))
    pace = choice(CHANNEL_PACES, required=False, help_text="What lapses soon goes at once in any case.")
    time_zone = serializers.CharField(required=False, max_length=60, help_text="Such as Europe/Berlin.")


class WebhookInput(WebhookChangeInput):
    """A new webhook: at once and without quiet hours, unless it says otherwise."""

    team = serializers.SlugRelatedField(
        slug_field="slug", queryset=Team.objects.all(), help_text="Slug of the team whose events it gets."
    )
    flavor = choice(WebhookFlavor)
    address = serializers.CharField(max_length=URL_CHARS_MAX, help_text="Begins with https://.")


class RotationInput(Input):
    """A new secret of a webhook."""

    is_leaked = serializers.BooleanField(
        required=False, help_text="Whether the secret leaked: then every secret but the new one ends now."
    )


class NewWebhookAnswer(Answer):
    """A webhook with its new secret, which is shown once."""

    id = serializers.IntegerField()
    secret = serializers.CharField(allow_blank=True)


class WebhookAttemptAnswer(Answer):
    """One call of a webhook."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(help_text="0 if no answer came.")
    answer = serializers.CharField(help_text="The first 1,000 characters.")
    taken_ms = serializers.IntegerField()


class WebhookMessageAnswer(Answer):
    """A message to a webhook, with its calls."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    made_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    attempts = WebhookAttemptAnswer(many=True)
