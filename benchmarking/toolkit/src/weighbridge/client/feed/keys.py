"""The public keys that a gate trusts: one PEM file with one key or, while keys rotate, several."""

import re
from collections.abc import Sequence
from pathlib import Path

from weighbridge.core import attestation
from weighbridge.core.errors import Invalid

BYTES_MAX, KEYS_MAX = 1 << 16, 16
BLOCK = re.compile(r"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----")


def read_public_keys(path: Path) -> tuple[str, ...]:
    """Return the keys (PEM) of a file; raise Invalid if it has none, or one that is not an Ed25519 key."""
    try:
        with path.open("rb") as stream:
            text = stream.read(BYTES_MAX).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The public keys in {path} cannot be read.", code="file_unreadable") from error
    keys = tuple(f"{block}\n" for block in BLOCK.findall(text))
    if not 0 < len(keys) <= KEYS_MAX:
        raise Invalid(f"{path} must contain 1 to {KEYS_MAX} public keys in PEM form.", code="bad_key")
    for key in keys:
        attestation.key_id(key)
    return keys


def verified(envelope: object, *, keys: Sequence[str]) -> dict[str, object]:
    """Return the statement if one of the keys signed it; raise Invalid otherwise."""
    refusal = Invalid("There is no public key to verify the statement with.", code="bad_key")
    for key in keys:
        try:
            return attestation.verify(envelope, public_key_pem=key)
        except Invalid as refused:
            refusal = refused
    raise refusal
