"""Requires a second factor for privileged roles and binding steps, and the factor itself to change factors.

Whoever has a factor confirms with it before a change of factors or of the password; the password alone is never
enough. If `WEIGHBRIDGE_REQUIRE_MFA` is on, people whose role judges, spends or administers must set one up before they
see any page, must have used it in this session, and confirm with it before steps such as a vote. Such steps are then
possible only in the browser: a token has none.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from governance import secrets
from governance.accounts.queries import FACTORS
from governance.people.domain.roles import BINDING
from governance.people.domain.scopes import READING
from governance.people.web.current_user import person_of, user_of
from governance.site.web.middleware import OPEN_PREFIXES, refusal_response
from weighbridge.core.errors import NotAllowed

API = "/api/"
BY_BROWSER = "This step needs a second factor, which API tokens cannot provide. Use the browser."
CONFIRM = "Confirm your second factor in the browser first."
NO_PASSWORD = "Your account has no password here. You log in with your identity provider."  # noqa: S105 -- a sentence
AGAIN = "Log in again to change how you log in."
secrets.stores(
    "Second factors",
    tokens=lambda: (
        each.encode()
        for each in chain.from_iterable(Authenticator.objects.values_list("data__secret", "data__seed"))
        if each is not None
    ),
)
HARMLESS = frozenset(
    {
        "mfa_index",
        "mfa_list_webauthn",
        "mfa_authenticate",
        "mfa_login_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)
SET_UP = "Your role needs a second factor. Set up an authenticator app or a security key to continue."


class SecondFactor(MiddlewareMixin):
    """Middleware. It must come after `LoginRequired`."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Redirect to the set-up or the confirmation of a second factor; None lets the view run."""
        if _changes_login(request) and request.user.is_authenticated:
            return _confirm_login(request)
        if not settings.WEIGHBRIDGE["REQUIRE_MFA"]:
            return None
        is_api, is_step = request.path.startswith(API), _is_step(request)
        if is_api and is_step:
            return refusal_response(request, NotAllowed(BY_BROWSER, code="second_factor"))
        if request.path.startswith(OPEN_PREFIXES) and not is_api:
            return None
        if not request.user.is_authenticated or not _is_bound(request):
            return None
        if not has_factor(user_of(request)):
            messages.info(request, SET_UP)
            return _refuse(request, SET_UP) if is_api else redirect("mfa_index")
        if _used_factor(request, since=_freshness() if is_step else 0):
            return None
        return _refuse(request, CONFIRM) if is_api else suspend_request(request, _door(request))


def confirmation_before_step(request: HttpRequest) -> HttpResponse | None:
    """Redirect to the confirmation before a step that only what a form says makes binding; None lets it be taken.

    For views whose route is not in `STEP_UP_ROUTES`. The middleware has made sure that there is a factor.
    """
    if not settings.WEIGHBRIDGE["REQUIRE_MFA"] or not _is_bound(request):
        return None
    return None if _used_factor(request, since=_freshness()) else suspend_request(request, _door(request))


def check_step_by_api() -> None:
    """Raise NotAllowed for such a step in the API, where nobody can confirm a factor."""
    if settings.WEIGHBRIDGE["REQUIRE_MFA"]:
        raise NotAllowed(BY_BROWSER, code="second_factor")


def has_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a security key. Recovery codes only stand in for these."""
    return bool(is_mfa_enabled(user, FACTORS))


def _changes_login(request: HttpRequest) -> bool:
    """Whether the page changes or shows a way into an account: all pages of factors, unless known to be harmless."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    return name == "account_change_password" or (name.startswith("mfa_") and name not in HARMLESS)


def _confirm_login(request: HttpRequest) -> HttpResponse | None:
    """Let a change of the login pass only after a confirmation with the factor or, without one, a known password.

    The rest is done by allauth, which asks for a password.
    """
    user = user_of(request)
    if request.method not in READING:
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two sessions must not each add the first factor
    if has_factor(user):
        return None if _used_factor(request, since=_freshness()) else _to(request, _door(request))
    if user.has_usable_password():
        return None
    if request.resolver_match and request.resolver_match.view_name == "account_change_password":
        return refusal_response(request, NotAllowed(NO_PASSWORD))
    if any(record["at"] > _freshness() for record in get_authentication_records(request, user)):
        return None
    logout(request)
    messages.info(request, AGAIN)
    return _to(request, reverse("account_login"))


def _to(request: HttpRequest, door: str) -> HttpResponse:
    return redirect(f"{door}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


def _refuse(request: HttpRequest, reason: str) -> HttpResponse:
    return refusal_response(request, NotAllowed(reason, code="second_factor"))


def _is_bound(request: HttpRequest) -> bool:
    """Whether the person has a role that judges, spends or administers, or access to the admin."""
    return user_of(request).is_staff or bool(person_of(request).roles & BINDING)


def _freshness() -> float:
    """The time in seconds since which a confirmation is recent."""
    return timezone.now().timestamp() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def _used_factor(request: HttpRequest, *, since: float) -> bool:
    """Whether this session confirmed a second factor after that time in seconds."""
    records = get_authentication_records(request, user_of(request))
    return any(record["method"] == "mfa" and record["at"] > since for record in records)


def _is_step(request: HttpRequest) -> bool:
    """Whether the request takes a binding step, or changes anything in the admin."""
    match = request.resolver_match
    if match is None or request.method in READING:
        return False
    return match.view_name in settings.STEP_UP_ROUTES or "admin" in match.namespaces


def _door(request: HttpRequest) -> str:
    """The page for confirming a second factor."""
    return str(get_adapter().get_reauthentication_methods(user_of(request))[0]["url"])
