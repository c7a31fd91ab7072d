"""Session limits: a session ends some hours after the last request, and at the latest some days after the login."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from governance.accounts.domain import is_session_over
from governance.site.web.middleware import GetResponse

BEGAN, SEEN = "began_s", "seen_s"
NOTED_S = 60  # saves the last activity at this interval instead of at each request
ENDED = "Your session has expired. Log in again to continue."


@receiver(user_logged_in)
def begin(request: HttpRequest, **_: Any) -> None:
    """Start a new session at login, even if the browser already had one."""
    now_s = timezone.now().timestamp()
    request.session.update({BEGAN: now_s, SEEN: now_s})


class SessionLimits:
    """Middleware. It must come after the authentication and message middleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _go_on_or_end(request, timezone.now())
        return self.get_response(request)


def _go_on_or_end(request: HttpRequest, now: datetime) -> None:
    now_s = now.timestamp()
    window = {name: request.session.setdefault(name, now_s) for name in (BEGAN, SEEN)}
    if is_session_over(**window, now_s=now_s, **settings.WEIGHBRIDGE["SESSION"]):
        logout(request)
        messages.info(request, ENDED)
    elif now_s - window[SEEN] >= NOTED_S:
        request.session[SEEN] = now_s
