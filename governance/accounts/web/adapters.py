"""Adapters for allauth: administrators or an identity provider create accounts; second factors are encrypted."""

import io
from ipaddress import IPv6Address, ip_address
from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from qrcode.image.svg import SvgPathFillImage

from governance import secrets
from governance.accounts.domain import DEMO_PASSWORD
from governance.accounts.web.attempts import count_login
from weighbridge.core.errors import NotAllowed

NOT_LINKED = "Accounts cannot be linked to an identity provider here. Log out, then log in with the provider."


class OneWayIn(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Logins: no self-registration, counted attempts, and no password in place of a second factor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Check the password, as a counted attempt. Production refuses the known password of the demo."""
        attempt = count_login(*{credentials[name] for name in ("email", "username") if credentials.get(name)})
        if credentials.get("password") == DEMO_PASSWORD and not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
            return None
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            attempt.rollback()
        return user

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the mail, but none to a person who logs in with the provider: a password would be another way in."""
        if user.has_usable_password():
            super().send_password_reset_mail(user, email, context)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """The ways to confirm who one is: with a second factor, only that factor, never the password."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        factors = [method for method in methods if method["url"] != reverse("account_reauthenticate")]
        return factors or methods

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the outermost of our own proxies saw; without proxies, the peer.

        Entries of X-Forwarded-For further left are whatever the client sent. If there are fewer entries than proxies,
        the request did not come through them.
        """
        hops, count = request.headers.get("X-Forwarded-For", "").split(","), settings.ALLAUTH_TRUSTED_PROXY_COUNT
        forwarded = hops[-count] if 0 < count <= len(hops) else ""
        address = clean_client_ip(forwarded) or clean_client_ip(request.META.get("REMOTE_ADDR", ""))
        if not address:
            raise PermissionDenied("The address of the client is unknown.")
        parsed = ip_address(address)
        return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else address


class ProviderSignup(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Lets the organization's identity provider create accounts. Administrators grant the roles."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Always True, because the provider has authenticated the person."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Refuse to link an identity to an existing account, because it would be another way into that account."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise NotAllowed(NOT_LINKED)


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Encrypts the secrets of one-time codes, so that a copy of the database is not enough to generate codes."""

    def encrypt(self, text: str) -> str:
        """The text, encrypted with a key derived from the secret key."""
        return secrets.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The decrypted text."""
        return secrets.decrypt(encrypted_text.encode())

    def build_totp_svg(self, url: str) -> str:
        """The address as a QR code in an inline SVG element, because the content policy forbids `data:` images."""
        drawn = io.BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(drawn)
        return SafeString(drawn.getvalue().decode().partition("?>")[2])
