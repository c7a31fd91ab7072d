"""Signal handlers that record account changes by Django and allauth.

Changes of factors and passwords are detected when their rows are saved, so that changes in the admin are recorded too.
A POST that may change them runs in one transaction with its audit event: if the event cannot be written, nothing
changes.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from governance.accounts import actions as accounts
from governance.accounts.domain import SecurityEvent
from governance.site.web.middleware import GetResponse

# A password reset request is not in this list: it sends mail, which must not wait for a transaction.
TOGETHER = (
    "/accounts/2fa/",
    "/accounts/password/change/",
    "/accounts/password/set/",
    "/accounts/password/reset/key/",
    "/admin/",
)
REFUSED = "too_many_login_attempts"
REFUSED_AGAIN_S = 300  # limits the events of a guessing attack to one in this period
CODES = Authenticator.Type.RECOVERY_CODES
log = logging.getLogger(__name__)


class AtomicAccountChanges:
    """Middleware: runs a POST that may change login data in one transaction, together with its audit event."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not request.path.startswith(TOGETHER):
            return self.get_response(request)
        with transaction.atomic():
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response


class RecordedAuthenticateForm(AuthenticateForm):  # type: ignore[misc]
    """The form for the second factor at login."""

    def clean_code(self) -> str:
        """Validate the code; record an event if the rate limit refuses the attempt."""
        with record_refusals(self.user.username):
            return str(super().clean_code())


class RecordedReauthenticateForm(ReauthenticateForm):  # type: ignore[misc]
    """The form for the second factor before sensitive actions."""

    def clean_code(self) -> str:
        """Validate the code; record an event if the rate limit refuses the attempt."""
        with record_refusals(self.user.username):
            return str(super().clean_code())


@contextmanager
def record_refusals(name: str) -> Iterator[None]:
    """Record that logins as `name` (a user name or an address) are refused after too many attempts.

    Unknown names are not recorded, because people type passwords into this field by mistake.
    """
    try:
        yield
    except ValidationError as error:
        if error.code == REFUSED:
            _record_refusal(name)
        raise


def _named(name: str) -> User | None:
    return User.objects.filter(Q(username__iexact=name) | (Q(email__iexact=name) & ~Q(email=""))).first()


def _record_refusal(name: str) -> None:
    user = _named(name)
    address = get_adapter().get_client_ip(context.request)
    if cache.add(f"login-refused:{user.pk if user else address}", True, REFUSED_AGAIN_S):
        _record(SecurityEvent.LOGIN_REFUSED, user, by=None, address=address)


@receiver(user_logged_in)
def on_login(request: HttpRequest, user: User, **_: Any) -> None:
    """Log a successful login and its method."""
    methods = sorted({record["method"] for record in get_authentication_records(request, user)})
    log.info("Logged in.", extra={"facts": {"user_id": user.pk, "methods": ", ".join(methods)}})


@receiver(user_login_failed)
def on_login_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Log a failed login. Unknown names are not logged."""
    user = _named(str(credentials.get("username") or credentials.get("email") or ""))
    address = get_adapter().get_client_ip(context.request) if context.request is not None else ""
    log.warning("Not logged in.", extra={"facts": {"user_id": user.pk if user else "", "address": address}})


@receiver(post_save, sender=Authenticator)
def on_factor_added(instance: Authenticator, created: bool, **_: Any) -> None:
    """Record a new authenticator app, security key or set of recovery codes."""
    if created:
        _record_factor(instance, codes=SecurityEvent.CODES_GENERATED, other=SecurityEvent.FACTOR_ADDED)


@receiver(post_delete, sender=Authenticator)
def on_factor_removed(instance: Authenticator, **_: Any) -> None:
    """Record a removed authenticator app, security key or set of recovery codes."""
    _record_factor(instance, codes=SecurityEvent.CODES_REMOVED, other=SecurityEvent.FACTOR_REMOVED)


@receiver(signals.authenticator_used, sender=Authenticator)
def on_code_used(user: User, authenticator: Authenticator, **_: Any) -> None:
    """Record the use of a recovery code."""
    if authenticator.type == CODES:
        left = len(Authenticator.objects.get(pk=authenticator.pk).wrap().get_unused_codes())
        _record(SecurityEvent.CODE_USED, user, by=user, codes_left=left)


@receiver(post_save, sender=User)
def on_password_set(instance: User, created: bool, **_: Any) -> None:
    """Record a new password: as a change if the owner was logged in, otherwise as a reset."""
    if created or getattr(instance, "_password", None) is None:  # so Django itself tells "set" from "hashed anew"
        return
    by = _acting_user()
    _record(SecurityEvent.PASSWORD_CHANGED if by == instance else SecurityEvent.PASSWORD_RESET, instance, by=by)


def _record_factor(factor: Authenticator, *, codes: SecurityEvent, other: SecurityEvent) -> None:
    if factor.type == CODES:
        _record(codes, factor.user, by=_acting_user())
    else:
        _record(other, factor.user, by=_acting_user(), factor=Authenticator.Type(factor.type).name.lower())


def _record(happening: SecurityEvent, user: User | None, *, by: User | None, **details: Any) -> None:
    accounts.record_security_event(happening=happening, user=user, by=by, now=timezone.now(), details=details)


def _acting_user() -> User | None:
    """The user of the current request; None on the command line and during a password reset."""
    user = getattr(context.request, "user", None)
    return cast("User", user) if user is not None and user.is_authenticated else None
