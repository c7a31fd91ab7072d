"""Authenticated encryption of short texts: Fernet (AES-128-CBC, HMAC-SHA256) with keys derived by HKDF (RFC 5869)."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from weighbridge.core.errors import WrongState

PURPOSE, KEY_BYTES, KEYS_KEPT = b"weighbridge stored secrets", 32, 8


class SecretUnreadable(WrongState):
    """No key decrypts the stored secret: the secret key has changed, or the token was damaged."""

    default_code = "secret_unreadable"


def encrypt(text: str, *, keys: Sequence[str]) -> bytes:
    """The token of a text, encrypted with the first of the keys."""
    return _fernet(tuple(keys)).encrypt(text.encode())


def decrypt(token: bytes, *, keys: Sequence[str]) -> str:
    """The text of a token that was encrypted with one of the keys. Raises SecretUnreadable."""
    try:
        return _fernet(tuple(keys)).decrypt(token).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "A stored secret cannot be decrypted, because the secret key has changed. Set "
            "WEIGHBRIDGE_SECRET_KEY_FALLBACKS to the old key, or store the secret again."
        ) from error


@dataclass(frozen=True)
class StoredSecrets:
    """How many stored secrets the present key decrypts, how many only a former key, and how many none of the keys."""

    present: int
    former: int
    unreadable: int


def count_by_key(tokens: Iterable[bytes], *, keys: Sequence[str]) -> StoredSecrets:
    """The tokens counted by what decrypts them; the first of the keys is the present one."""
    present = former = unreadable = 0
    for token in tokens:
        if _is_readable(token, keys[:1]):
            present += 1
        elif _is_readable(token, keys[1:]):
            former += 1
        else:
            unreadable += 1
    return StoredSecrets(present, former, unreadable)


def _is_readable(token: bytes, keys: Sequence[str]) -> bool:
    try:
        return bool(keys) and decrypt(token, keys=keys) is not None
    except SecretUnreadable:
        return False


@lru_cache(maxsize=KEYS_KEPT)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(key.encode())
