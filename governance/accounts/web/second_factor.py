"""Requires a second factor for privileged roles, and a recent one for binding steps.

If `WEIGHBRIDGE_REQUIRE_MFA` is on, people whose role judges, spends or administers must set one up before they see any
page, and confirm with it before steps such as a vote. Such steps are then possible only in the browser: a token has
none.
"""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from governance.people.domain.roles import BINDING
from governance.people.domain.scopes import READING
from governance.people.web.current_user import person_of, user_of
from governance.site.web.middleware import OPEN_PREFIXES, refusal_response
from weighbridge.core.errors import NotAllowed

API = "/api/"
BY_BROWSER = "This step needs a second factor, which API tokens cannot provide. Use the browser."
SET_UP = "Your role needs a second factor. Set up an authenticator app or a security key to continue."


class SecondFactor(MiddlewareMixin):
    """Middleware. It must come after `LoginRequired`."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Redirect to the set-up or the confirmation of a second factor; None lets the view run."""
        if not settings.WEIGHBRIDGE["REQUIRE_MFA"]:
            return None
        is_api, is_step = request.path.startswith(API), _is_step(request)
        if is_api and is_step:
            return refusal_response(request, NotAllowed(BY_BROWSER, code="second_factor"))
        if request.path.startswith(OPEN_PREFIXES) and not is_api:
            return None
        if not request.user.is_authenticated or not person_of(request).roles & BINDING:
            return None
        if not is_mfa_enabled(user_of(request)):
            if is_api:
                return refusal_response(request, NotAllowed(SET_UP, code="second_factor"))
            messages.info(request, SET_UP)
            return redirect("mfa_index")
        return suspend_request(request, _door(request)) if is_step and not is_fresh(request) else None


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session confirmed a second factor in the last minutes."""
    since = timezone.now().timestamp() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, user_of(request))
    return any(record["method"] == "mfa" and record["at"] > since for record in records)


def _is_step(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and request.method not in READING and match.view_name in settings.STEP_UP_ROUTES


def _door(request: HttpRequest) -> str:
    """The page for confirming a second factor; a password alone is not accepted."""
    methods = get_adapter().get_reauthentication_methods(user_of(request))
    return str(next(method["url"] for method in methods if method["url"] != reverse("account_reauthenticate")))
