"""The signing key of this installation."""

from pathlib import Path

from django.conf import settings

from weighbridge.core import attestation
from weighbridge.core.errors import WrongState


def signing_key() -> str:
    """The private key (PEM) that signs authorizations."""
    path = Path(settings.WEIGHBRIDGE["SIGNING_KEY"])
    if not path.exists():
        raise WrongState(
            f"There is no signing key at {path}; run `python manage.py prepare`, or set WEIGHBRIDGE_SIGNING_KEY."
        )
    return path.read_text()


def public_key() -> str:
    """The public key (PEM) for verifying statements."""
    return attestation.public_pem(signing_key())
