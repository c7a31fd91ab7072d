"""The settings of the reader, and the page behind the unsubscribe link of a mail."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from governance.notifications.actions.preferences import choose, unsubscribe
from governance.notifications.domain.kinds import CATALOG, DAILY, EVERY_KIND, NoticePace, title_of
from governance.notifications.queries.links import unsubscribed
from governance.notifications.queries.preferences import preferences_of
from governance.notifications.web.hours_form import HoursForm
from governance.people.web.current_user import user_of
from governance.site.web.refusals import settled

PACES = [(pace.value, pace.words) for pace in NoticePace]


class PreferencesForm(HoursForm):
    """A pace for each kind, and the hours."""

    def __init__(self, data: Any = None, *, person_id: int) -> None:
        own = preferences_of(person_id)
        initial = {one.kind: one.pace.value for one in own.kinds} | vars(own.hours)
        super().__init__(data, initial=initial)
        for name, kind in CATALOG.items():
            self.fields[name] = forms.ChoiceField(label=kind.title, choices=PACES, help_text=kind.meaning)
        self.order_fields(list(CATALOG))

    def paces(self) -> dict[str, NoticePace]:
        """The chosen paces."""
        return {kind: NoticePace(self.cleaned_data[kind]) for kind in CATALOG}


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """`/notifications/settings/`: how the reader is told of each kind, and when."""
    user = user_of(request)
    form, status = PreferencesForm(request.POST or None, person_id=user.pk), 200
    if request.method == "POST":

        def act() -> str:
            choose(paces=form.paces(), hours=form.hours(), by=user, now=timezone.now())
            return "Your settings are saved."

        done, status = settled(request, form, act)
        if done:
            return redirect("governance:notification_settings")
    return render(request, "governance/notifications/settings.html", {"form": form}, status=status)


@csrf_exempt  # the signed link is the permission, and mail programs post without a session (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to end mail, and end it by POST. Opening the link changes nothing, because scanners open it too."""
    person_id, about = unsubscribed(token)
    if request.method == "POST":
        person = User.objects.filter(pk=person_id).first()
        if person is not None:
            unsubscribe(person=person, about=about, now=timezone.now())
    context = {"what": _words(about), "is_done": request.method == "POST"}
    return render(request, "governance/notifications/unsubscribe.html", context)


def _words(about: str) -> str:
    """Which mail a link to unsubscribe is about, in words."""
    named = {EVERY_KIND: "mail with notifications", DAILY: "daily mail with notifications"}
    return named.get(about) or f"mail about: {title_of(about)}"
