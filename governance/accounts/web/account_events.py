"""Signal handlers that record account changes by Django and allauth.

Changes of factors, passwords and access to the admin are detected when their rows are saved, so that changes in the
admin and by commands are recorded too. A request that may change them runs in one transaction with its audit event: if
the event cannot be written, nothing changes.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from governance.accounts import actions as accounts
from governance.accounts.domain import SecurityEvent
from governance.accounts.web.attempts import accounts_named
from governance.audit.actions import record as audit
from governance.people.actions import people
from governance.people.domain.scopes import READING
from governance.site.web.middleware import GetResponse

# A password reset request is not in this list: it sends mail, which must not wait for a transaction.
TOGETHER = (
    "/accounts/2fa/",
    "/accounts/password/change/",
    "/accounts/password/reset/key/",
    "/admin/",
)
CODES, HAD = Authenticator.Type.RECOVERY_CODES, "_had_admin_access"
log = logging.getLogger(__name__)


class AtomicAccountChanges:
    """Middleware: runs a request that may change login data in one transaction, together with its audit event."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING or not request.path.startswith(TOGETHER):
            return self.get_response(request)
        with transaction.atomic():
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response


@receiver(user_logged_in)
def on_login(request: HttpRequest, user: User, **_: Any) -> None:
    """Log a successful login and its method."""
    methods = sorted({record["method"] for record in get_authentication_records(request, user)})
    log.info("Logged in.", extra={"facts": {"user_id": user.pk, "methods": ", ".join(methods)}})


@receiver(user_login_failed)
def on_login_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Log a failed login. Unknown names are not logged."""
    found = accounts_named(str(credentials.get("username") or credentials.get("email") or ""))
    address = get_adapter().get_client_ip(context.request) if context.request is not None else ""
    log.warning("Not logged in.", extra={"facts": {"user_id": found[0].pk if found else "", "address": address}})


@receiver(post_save, sender=Authenticator)
def on_factor_added(instance: Authenticator, created: bool, **_: Any) -> None:
    """Record a new authenticator app, security key or set of recovery codes.

    Whoever added a factor has just used it, so that this session need not ask for it again.
    """
    if created:
        _record_factor(instance, codes=SecurityEvent.CODES_GENERATED, other=SecurityEvent.FACTOR_ADDED)
        if instance.type != CODES and _acting_user() == instance.user:
            record_authentication(
                context.request, instance.user, "mfa", id=instance.pk, type=instance.type, reauthenticated=True
            )


@receiver(post_delete, sender=Authenticator)
def on_factor_removed(instance: Authenticator, **_: Any) -> None:
    """Record a removed authenticator app, security key or set of recovery codes. The codes go with the last factor."""
    _record_factor(instance, codes=SecurityEvent.CODES_REMOVED, other=SecurityEvent.FACTOR_REMOVED)
    if instance.type != CODES:
        delete_dangling_recovery_codes(instance.user)


@receiver(signals.authenticator_used, sender=Authenticator)
def on_code_used(user: User, authenticator: Authenticator, **_: Any) -> None:
    """Record the use of a recovery code."""
    if authenticator.type == CODES:
        left = len(Authenticator.objects.get(pk=authenticator.pk).wrap().get_unused_codes())
        _record(SecurityEvent.CODE_USED, user, by=user, codes_left=left)


@receiver(post_save, sender=User)
def on_password_set(instance: User, created: bool, **_: Any) -> None:
    """Record a new password, as a change if the owner was logged in, otherwise as a reset, and end all tokens.

    Django itself ends the other sessions, because each is bound to the password.
    """
    if created or getattr(instance, "_password", None) is None:  # so Django itself tells "set" from "hashed anew"
        return
    by = _acting_user()
    with transaction.atomic(), _origin():
        _record(SecurityEvent.PASSWORD_CHANGED if by == instance else SecurityEvent.PASSWORD_RESET, instance, by=by)
        people.end_tokens(user=instance, reason="The password changed.", by=by, now=timezone.now())


@receiver(pre_save, sender=User)
def on_admin_access_changed(instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    """Note that an account is about to get or to lose access to the admin; `on_account_saved` records it."""
    if update_fields is None or {"is_staff", "is_superuser"} & set(update_fields):
        had = User.objects.filter(pk=instance.pk).values_list("is_staff", "is_superuser").first()
        setattr(instance, HAD, had or (False, False))


@receiver(post_save, sender=User)
def on_account_saved(instance: User, **_: Any) -> None:
    """Record that an account got or lost access to the admin."""
    had, has = instance.__dict__.pop(HAD, None), (instance.is_staff, instance.is_superuser)
    if had is not None and had != has:
        event = SecurityEvent.ADMIN_ACCESS_GIVEN if any(has) else SecurityEvent.ADMIN_ACCESS_REMOVED
        _record(event, instance, by=_acting_user(), is_staff=instance.is_staff, is_superuser=instance.is_superuser)


def _record_factor(factor: Authenticator, *, codes: SecurityEvent, other: SecurityEvent) -> None:
    if factor.type == CODES:
        _record(codes, factor.user, by=_acting_user())
    else:
        _record(other, factor.user, by=_acting_user(), factor=Authenticator.Type(factor.type).name.lower())


def _record(happening: SecurityEvent, user: User | None, *, by: User | None, **details: Any) -> None:
    reason, now = "" if context.request else people.ALONE, timezone.now()
    with _origin():
        accounts.record_security_event(happening=happening, user=user, by=by, now=now, details=details, reason=reason)


def _origin() -> AbstractContextManager[None]:
    """The origin of an event: without a request, an operator caused it with a command on the server."""
    return nullcontext() if context.request else audit.origin("command")


def _acting_user() -> User | None:
    """The user of the current request; None on the command line and during a password reset."""
    user = getattr(context.request, "user", None)
    return cast("User", user) if user is not None and user.is_authenticated else None
