"""Listens to what Django and allauth do to the ways into an account, through whatever door, and puts it on record.

Factors and passwords are heard as their rows are written, so that the admin is heard like the page. A POST that may
write them is one transaction with its record: where the record fails, nothing changed.
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
from governance.accounts.domain import Happening
from governance.site.web.middleware import GetResponse

# Asking for a reset is not among them: it sends mail, for which no transaction waits.
TOGETHER = (
    "/accounts/2fa/",
    "/accounts/password/change/",
    "/accounts/password/set/",
    "/accounts/password/reset/key/",
    "/admin/",
)
REFUSED = "too_many_login_attempts"
REFUSED_AGAIN_S = 300  # who goes on guessing makes one event in so many seconds, not thousands
CODES = Authenticator.Type.RECOVERY_CODES
log = logging.getLogger(__name__)


class WholeChanges:
    """Middleware: a POST that may change how somebody logs in changes all of it, its record included, or nothing."""

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


class NotedAuthenticate(AuthenticateForm):  # type: ignore[misc]
    """The code at log-in."""

    def clean_code(self) -> str:
        """The code, if it is one; an event where no more are heard."""
        with refusals_noted(self.user.username):
            return str(super().clean_code())


class NotedReauthenticate(ReauthenticateForm):  # type: ignore[misc]
    """The code again, before what matters."""

    def clean_code(self) -> str:
        """The code, if it is one; an event where no more are heard."""
        with refusals_noted(self.user.username):
            return str(super().clean_code())


@contextmanager
def refusals_noted(name: str) -> Iterator[None]:
    """Put on record that log-ins as `name` (a user name or an address) are refused after too many tries.

    A name that belongs to nobody is not written down: people type passwords there.
    """
    try:
        yield
    except ValidationError as error:
        if error.code == REFUSED:
            _note_refusal(name)
        raise


def _named(name: str) -> User | None:
    return User.objects.filter(Q(username__iexact=name) | (Q(email__iexact=name) & ~Q(email=""))).first()


def _note_refusal(name: str) -> None:
    user = _named(name)
    address = get_adapter().get_client_ip(context.request)
    if cache.add(f"login-refused:{user.pk if user else address}", True, REFUSED_AGAIN_S):
        _note(Happening.LOGIN_REFUSED, user, by=None, details={"address": address})


@receiver(user_logged_in)
def hear_login(request: HttpRequest, user: User, **_: Any) -> None:
    """A line of the log: somebody is in, and how they proved who they are."""
    methods = sorted({record["method"] for record in get_authentication_records(request, user)})
    log.info("Logged in.", extra={"facts": {"user_id": user.pk, "methods": ", ".join(methods)}})


@receiver(user_login_failed)
def hear_login_failed(credentials: dict[str, Any], **_: Any) -> None:
    """A line of the log: somebody is not in. Names that belong to nobody are not written down."""
    user = _named(str(credentials.get("username") or credentials.get("email") or ""))
    address = get_adapter().get_client_ip(context.request) if context.request is not None else ""
    log.warning("Not logged in.", extra={"facts": {"user_id": user.pk if user else "", "address": address}})


@receiver(post_save, sender=Authenticator)
def hear_factor_added(instance: Authenticator, created: bool, **_: Any) -> None:
    """An app, a key or a set of recovery codes is new."""
    if created:
        _note_factor(Happening.CODES_GENERATED if instance.type == CODES else Happening.FACTOR_ADDED, instance)


@receiver(post_delete, sender=Authenticator)
def hear_factor_removed(instance: Authenticator, **_: Any) -> None:
    """An app, a key or a set of recovery codes is gone."""
    _note_factor(Happening.CODES_REMOVED if instance.type == CODES else Happening.FACTOR_REMOVED, instance)


@receiver(signals.authenticator_used, sender=Authenticator)
def hear_code_used(user: User, authenticator: Authenticator, **_: Any) -> None:
    """A recovery code was spent."""
    if authenticator.type == CODES:
        left = len(Authenticator.objects.get(pk=authenticator.pk).wrap().get_unused_codes())
        _note(Happening.CODE_USED, user, by=user, details={"codes_left": left})


@receiver(post_save, sender=User)
def hear_password_set(instance: User, created: bool, **_: Any) -> None:
    """A password is another. Whoever has proved to be its owner changes it; all others reset it."""
    if created or getattr(instance, "_password", None) is None:  # so Django itself tells "set" from "hashed anew"
        return
    by = _acting()
    _note(Happening.PASSWORD_CHANGED if by == instance else Happening.PASSWORD_RESET, instance, by=by)


def _note_factor(happening: Happening, factor: Authenticator) -> None:
    details = {} if factor.type == CODES else {"factor": Authenticator.Type(factor.type).name.lower()}
    _note(happening, factor.user, by=_acting(), details=details)


def _note(happening: Happening, user: User | None, *, by: User | None, details: dict[str, Any] | None = None) -> None:
    accounts.note(happening=happening, user=user, by=by, now=timezone.now(), details=details)


def _acting() -> User | None:
    """Whoever is logged in where this happens; nobody on the command line or on the way back in."""
    user = getattr(context.request, "user", None)
    return cast("User", user) if user is not None and user.is_authenticated else None
