"""The pages of webhooks. A secret is shown once, on the answer of the form that made it."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.notifications.actions import webhooks as actions
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import ChannelTimes
from governance.notifications.domain.kinds import OF_TEAMS, NoticePace, title_of
from governance.notifications.models import CHANNEL_PACE_CHOICES, FLAVORS, USUAL, TeamWebhook
from governance.notifications.queries.webhooks import find_message, find_webhook, messages_of, webhooks_of
from governance.notifications.rules import check_manage_webhooks, may_manage_webhooks
from governance.notifications.web.hours_form import HoursForm
from governance.people.models import Team
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.refusals import attempt, settled
from weighbridge.core.addresses import URL_CHARS_MAX

KINDS = [(name, title_of(name)) for name in OF_TEAMS]
PAGE_SIZE = 25


class WebhookChangeForm(HoursForm):
    """The name of a webhook, the kinds that it gets, how fast and when."""

    name = forms.CharField(label="Name", max_length=actions.NAME_CHARS_MAX)
    kinds = forms.MultipleChoiceField(label="Kinds", choices=KINDS, widget=forms.CheckboxSelectMultiple)
    pace = forms.ChoiceField(
        label="How fast", choices=CHANNEL_PACE_CHOICES, help_text="What lapses soon goes at once in any case."
    )
    field_order = ("team", "flavor", "name", "address", "kinds", "pace", *vars(USUAL))

    def __init__(self, data: Any = None, *, initial: Mapping[str, Any] | None = None) -> None:
        """Offer the usual hours, unless others are given."""
        super().__init__(data, initial={"pace": NoticePace.AT_ONCE.value, **vars(USUAL), **(initial or {})})
        self.fields["digest_hour"].label = "Daily message at"

    def settings(self) -> dict[str, Any]:
        """What the form says, as the actions take it."""
        own = {name: value for name, value in self.cleaned_data.items() if name not in vars(USUAL)}
        return own | {"times": ChannelTimes(pace=NoticePace(own.pop("pace")), hours=self.hours())}


class RotationForm(forms.Form):
    """The rotation of a secret."""

    is_leaked = forms.BooleanField(
        label="The secret leaked", required=False, help_text="Then every secret but the new one ends now."
    )


class WebhookForm(WebhookChangeForm):
    """A new webhook."""

    team = forms.ModelChoiceField(Team.objects.order_by("name"), label="Team", to_field_name="slug")
    flavor = forms.ChoiceField(label="For", choices=FLAVORS)
    address = forms.CharField(
        label="Address", max_length=URL_CHARS_MAX, help_text="Begins with https://. It is stored encrypted."
    )


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/webhooks/`: the webhooks of all teams, and the form to add one."""
    person = person_of(request)
    rows = webhooks_of(person)
    form, status = WebhookForm(request.POST or None), 200
    if request.method == "POST":
        check_manage_webhooks(person)
        made: list[tuple[TeamWebhook, str]] = []

        def act() -> str:
            given = form.settings()
            flavor = WebhookFlavor(given.pop("flavor"))
            made.append(actions.add_webhook(flavor=flavor, **given, by=user_of(request), now=timezone.now()))
            return f"{made[0][0].name} is added."

        done, status = settled(request, form, act)
        if done:
            row, secret = made[0]
            return _secret_shown(request, row, secret) if secret else redirect("governance:webhook", row.pk)
    context = {
        "rows": rows.filter(removed_at=None),
        "removed": rows.exclude(removed_at=None).order_by("-removed_at"),
        "form": form if may_manage_webhooks(person) else None,
    }
    return render(request, "governance/notifications/webhooks.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """`/webhooks/1/`: its settings, and the log of its messages, which a removed one keeps."""
    row, person = _found(request, webhook_id), person_of(request)
    form = WebhookChangeForm(request.POST or None, initial=_settings_of(row))
    status = 200
    if request.method == "POST":
        check_manage_webhooks(person)

        def act() -> str:
            actions.change_webhook(webhook=row, **form.settings(), by=user_of(request), now=timezone.now())
            return "The webhook is changed."

        done, status = settled(request, form, act)
        if done:
            return redirect("governance:webhook", row.pk)
    context: dict[str, Any] = {
        "webhook": row,
        "page": bounded_page(messages_of(row), size=PAGE_SIZE, number=request.GET.get("page")),
        "form": form if may_manage_webhooks(person) and row.removed_at is None else None,
        "rotation": RotationForm() if row.flavor == WebhookFlavor.SIGNED else None,
    }
    return render(request, "governance/notifications/webhook.html", context, status=status)


@require_POST
def rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Replace the secret, and show the new one."""
    row, form = _found(request, webhook_id), RotationForm(request.POST)
    form.is_valid()
    secret = actions.rotate_secret(webhook=row, **form.cleaned_data, by=user_of(request), now=timezone.now())
    row.refresh_from_db()
    return _secret_shown(request, row, secret)


@require_POST
def test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send a test message."""
    row = _found(request, webhook_id)

    def act() -> str:
        actions.test_webhook(webhook=row, by=user_of(request), now=timezone.now())
        return "A test message is on its way. Its answer will stand in the log."

    return _attempted(request, act, row)


@require_POST
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Remove the webhook."""
    row = _found(request, webhook_id)

    def act() -> str:
        actions.remove_webhook(webhook=row, by=user_of(request), now=timezone.now())
        return f"{row.name} is removed."

    attempt(request, act)
    return redirect("governance:webhooks")


@require_POST
def again(request: HttpRequest, webhook_id: int, message_id: int) -> HttpResponse:
    """Send one message again."""
    row = _found(request, webhook_id)
    message = find_message(webhook=row, message_id=message_id)

    def act() -> str:
        actions.send_again(webhook=row, dispatch=message, by=user_of(request), now=timezone.now())
        return "The message is on its way again."

    return _attempted(request, act, row)


def _settings_of(row: TeamWebhook) -> dict[str, Any]:
    return {"name": row.name, "kinds": row.kinds, "pace": row.pace, **vars(row.hours)}


def _found(request: HttpRequest, webhook_id: int) -> TeamWebhook:
    return find_webhook(webhook_id=webhook_id, person=person_of(request))


def _attempted(request: HttpRequest, act: Callable[[], str], row: TeamWebhook) -> HttpResponse:
    attempt(request, act)
    return redirect("governance:webhook", row.pk)


def _secret_shown(request: HttpRequest, row: TeamWebhook, secret: str) -> HttpResponse:
    return render(request, "governance/notifications/secret.html", {"webhook": row, "secret": secret})
