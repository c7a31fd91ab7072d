"""Counts attempts to prove who somebody is: five failures of one account, and ten of one network address.

The account counts, not the typed name, so that a user name, an email address and a code share one counter; the second
factor of a person who is logged in has another. An attempt counts before it is checked, and is taken back if it
succeeds; counters are never reset, because an attacker could reset them with a login of their own.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone

from governance.accounts import actions as accounts
from governance.accounts.domain import SecurityEvent

REFUSED_AGAIN_S = 300  # limits the events of a guessing attack to one in this period
BY_ADDRESS, BY_ACCOUNT = "failed_by_address", "failed_by_account"  # the limits are in ACCOUNT_RATE_LIMITS


def accounts_named(name: str) -> list[User]:
    """All accounts that a login may reach by this name: a user name or an email address, in any case."""
    matches = Q(pk__in=())
    for form in {name, unicodedata.normalize("NFKC", name)} - {""}:
        matches |= Q(username__iexact=form) | Q(email__iexact=form) | Q(emailaddress__email__iexact=form)
    return list(User.objects.filter(matches).distinct().order_by("pk"))


def count_login(*names: str) -> ratelimit.RateLimitUsage:
    """Count an attempt to log in by these names. Raises ValidationError if there were too many."""
    found = {user.pk: user for name in names for user in accounts_named(name)}
    unknown = {f"name:{unicodedata.normalize('NFKC', name).casefold()}" for name in names}
    return _count(list(found.values()), {f"account:{key}" for key in found} or unknown)


def count_password(user: User) -> ratelimit.RateLimitUsage:
    """Count an attempt to give the password of `user`. Raises ValidationError if there were too many."""
    return _count([user], {f"account:{user.pk}"})


def count_factor(user: User) -> ratelimit.RateLimitUsage:
    """Count an attempt to give a second factor of `user`. Raises ValidationError if there were too many.

    After the log-in, it is a counter of its own: a stranger who guesses passwords must not keep a person from a step
    that needs the factor.
    """
    is_logged_in = context.request.user.is_authenticated
    return _count([user], {f"factor:{user.pk}"}) if is_logged_in else count_password(user)


def _count(users: list[User], keys: set[str]) -> ratelimit.RateLimitUsage:
    """The counted attempt, whose `rollback()` takes it back. A refused attempt is an event of each account."""
    counted = ratelimit.RateLimitUsage(usage=[])
    for action, key in [(BY_ADDRESS, None), *((BY_ACCOUNT, key) for key in sorted(keys))]:
        usage = ratelimit.consume(context.request, app="allauth.account", action=action, key=key)
        if usage is None:
            _record_refusals(users)
            raise get_adapter().validation_error("too_many_login_attempts")
        counted.usage += usage.usage
    return counted


def _record_refusals(users: Sequence[User | None]) -> None:
    """Record that logins are refused. Unknown names are not recorded: people type passwords there by mistake."""
    address, event = get_adapter().get_client_ip(context.request), SecurityEvent.LOGIN_REFUSED
    for user in users or [None]:
        if cache.add(f"login-refused:{user.pk if user else address}", True, REFUSED_AGAIN_S):
            now, details = timezone.now(), {"address": address}
            accounts.record_security_event(happening=event, user=user, by=None, now=now, details=details)


class _CountedCode:
    """A form with a code that proves who somebody is."""

    user: User

    def clean_code(self) -> Any:
        """Validate the code, as a counted attempt."""
        attempt = count_factor(self.user)
        code = super().clean_code()  # type: ignore[misc]  # of the form of allauth
        attempt.rollback()
        return code


class _CountedCredential:
    """A form with an answer of a security key."""

    user: User

    def clean_credential(self) -> Any:
        """Validate the answer, as a counted attempt."""
        attempt = count_factor(self.user)
        credential = super().clean_credential()  # type: ignore[misc]  # of the form of allauth
        attempt.rollback()
        return credential


class CountedAuthenticate(_CountedCode, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The code at login."""


class CountedReauthenticate(_CountedCode, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The code before sensitive actions."""


class CountedActivateTOTP(_CountedCode, ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The first code of a new authenticator app."""


class CountedAuthenticateWebAuthn(_CountedCredential, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The security key at login."""


class CountedReauthenticateWebAuthn(_CountedCredential, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The security key before sensitive actions."""


class CountedChangePassword(ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """The form that changes a password, with the old one as proof."""

    def clean_oldpassword(self) -> str:
        """Validate the old password, as a counted attempt."""
        attempt = count_password(self.user)
        password = str(super().clean_oldpassword())
        attempt.rollback()
        return password
