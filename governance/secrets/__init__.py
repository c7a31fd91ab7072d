"""Stored secrets: encrypted before they go into the database, with keys derived from `WEIGHBRIDGE_SECRET_KEY`."""

from collections.abc import Callable, Iterable

from django.conf import settings

from governance.secrets import domain

Tokens = Callable[[], Iterable[bytes | memoryview | None]]
STORED: dict[str, Tokens] = {}
"""How the secrets that each subject stores are read, by what they are."""


def stores(title: str, *, tokens: Tokens) -> None:
    """Register what a subject stores, so that administrators see which of it needs a former key. None is no secret."""
    STORED[title] = tokens


def stored() -> dict[str, domain.StoredSecrets]:
    """All stored secrets, counted by the key that decrypts them."""
    return {
        title: domain.count_by_key((bytes(each) for each in tokens() if each is not None), keys=_keys())
        for title, tokens in sorted(STORED.items())
    }


def former_keys() -> int:
    """The number of former secret keys that are still accepted."""
    return len(settings.SECRET_KEY_FALLBACKS)


def encrypt(text: str) -> bytes:
    """The text, encrypted with the key derived from the present secret key. Each call returns another token."""
    return domain.encrypt(text, keys=_keys())


def decrypt(token: bytes | memoryview) -> str:
    """The text of a token, also of one from before a change of the secret key, as long as the old one is listed.

    Raises SecretUnreadable if no key fits.
    """
    return domain.decrypt(bytes(token), keys=_keys())


def readable(token: bytes | memoryview | None) -> str:
    """The text of a token; "" if there is none, or no key fits."""
    try:
        return "" if token is None else decrypt(token)
    except domain.SecretUnreadable:
        return ""


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
