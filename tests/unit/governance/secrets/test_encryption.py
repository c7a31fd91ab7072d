"""What is stored is unreadable without the key, and stays readable through a change of the key."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from governance import secrets
from governance.secrets.domain import SecretUnreadable, decrypt, encrypt

OLD, NEW = "an old key of many characters", "a new key of many characters"


@given(st.text())
def test_a_text_comes_back_and_no_token_repeats(text: str) -> None:
    token = encrypt(text, keys=[NEW])
    assert decrypt(token, keys=[NEW]) == text
    assert token != encrypt(text, keys=[NEW])
    assert not (len(text) > 5 and text.encode() in token)


def test_the_key_is_the_one_that_rfc_5869_derives() -> None:
    """HKDF with one block, written out: an independent reader of the tokens."""
    extracted = hmac.new(bytes(32), NEW.encode(), hashlib.sha256).digest()
    key = hmac.new(extracted, b"weighbridge stored secrets" + b"\x01", hashlib.sha256).digest()
    assert Fernet(urlsafe_b64encode(key)).decrypt(encrypt("ü", keys=[NEW])) == "ü".encode()


def test_an_old_key_still_reads_and_the_first_one_writes() -> None:
    token = encrypt("secret", keys=[OLD])
    assert decrypt(token, keys=[NEW, OLD]) == "secret"
    with pytest.raises(SecretUnreadable, match="WEIGHBRIDGE_SECRET_KEY_FALLBACKS"):
        decrypt(encrypt("secret", keys=[NEW, OLD]), keys=[OLD])


DAMAGED = {
    "empty": b"",
    "short": b"gAAAA",
    "no text": b"\xff\xfe",
    "changed": encrypt("secret", keys=[OLD])[:-1] + b"A",
}


@pytest.mark.parametrize("token", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_token_is_refused(token: bytes) -> None:
    with pytest.raises(SecretUnreadable) as refused:
        decrypt(token, keys=[OLD])
    assert (refused.value.status, refused.value.code) == (409, "secret_unreadable")


def test_the_keys_are_those_of_the_settings(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    token = secrets.encrypt("secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert secrets.decrypt(memoryview(token)) == "secret"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretUnreadable):
        secrets.decrypt(token)
