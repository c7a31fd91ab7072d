"""Log-in: accounts are made by administrators or by the organization's identity provider; second factors are kept
sealed.
"""

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

from governance.accounts.web.account_events import refusals_noted


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Refuses self-made accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: str) -> None:
        """Let so many tries through and no more; an event where they end."""
        with refusals_noted(credentials.get("email") or credentials.get("username", "")):
            super().pre_authenticate(request, **credentials)


class ProviderSignup(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets the organization's identity provider bring people in; they hold no role until an administrator gives one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Always: the provider has said who they are."""
        return True


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of one-time codes encrypted, so that a copy of the database makes none."""

    def encrypt(self, text: str) -> str:
        """The text under a key made of Django's secret key."""
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted."""
        return _seal().decrypt(encrypted_text.encode()).decode()

    def build_totp_svg(self, url: str) -> str:
        """The address as a QR code, an element that stands in the page itself: the content policy allows no data:
        image.
        """
        drawn = io.BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(drawn)
        return SafeString(drawn.getvalue().decode().partition("?>")[2])


def _seal() -> Fernet:
    key = hashlib.sha256(b"second factors\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
