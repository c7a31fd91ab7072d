"""Adapters for allauth: administrators or an identity provider create accounts; second factors are encrypted."""

import base64
import hashlib
import io

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString
from qrcode.image.svg import SvgPathFillImage

from governance.accounts.web.account_events import record_refusals


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Disables self-registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: str) -> None:
        """Apply the rate limit, and record an event when it refuses an attempt."""
        with record_refusals(credentials.get("email") or credentials.get("username", "")):
            super().pre_authenticate(request, **credentials)


class ProviderSignup(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets the organization's identity provider create accounts. Administrators grant the roles."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Always True, because the provider has authenticated the person."""
        return True


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the secrets of one-time codes, so that a copy of the database is not enough to generate codes."""

    def encrypt(self, text: str) -> str:
        """The text, encrypted with a key derived from Django's secret key."""
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The decrypted text."""
        return _seal().decrypt(encrypted_text.encode()).decode()

    def build_totp_svg(self, url: str) -> str:
        """The address as a QR code in an inline SVG element, because the content policy forbids `data:` images."""
        drawn = io.BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(drawn)
        return SafeString(drawn.getvalue().decode().partition("?>")[2])


def _seal() -> Fernet:
    key = hashlib.sha256(b"second factors\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
