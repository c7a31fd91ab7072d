"""The signing key of this installation."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from weighbridge.core import attestation
from weighbridge.core.errors import WrongState


def signing_key() -> str:
    """The private key (PEM) that signs authorizations."""
    path = Path(settings.WEIGHBRIDGE["SIGNING_KEY"])
    try:
        seen = path.stat()
    except FileNotFoundError:
        raise WrongState(
            f"There is no signing key at {path}; run `python manage.py prepare`, or set WEIGHBRIDGE_SIGNING_KEY."
        ) from None
    return _text_of(path, seen.st_mtime_ns, seen.st_size, seen.st_ino)


def public_key() -> str:
    """The public key (PEM) for verifying statements."""
    return attestation.public_pem(signing_key())


@lru_cache(maxsize=2)
def _text_of(path: Path, *_stamp: int) -> str:
    """The file, read again when it changed: the gate signs a thousand times a second."""
    return path.read_text()
