"""Secrets leave no trace: whatever is logged, or kept as the reason of a failure, passes through `mask` first.

Two nets: the secrets this installation knows by value, and the shapes secrets have in text. The second also catches
what only the other side knows, such as a token in the address an error message repeats.
"""

import re
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "[hidden]"
SECRET_CHARS_MIN = 6  # a shorter one would blot out ordinary words
_known: set[str] = set()
_HEADER = r"authorization|proxy-authorization|cookie|set-cookie|x-csrftoken|x-api-key"
_FIELD = (
    r"password|passwd|secret|client_secret|api_?key|api_?token|access_token|refresh_token|token|pwd|sessionid|csrftoken"
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(rf"(?i)(?P<name>[\"']?\b(?:{_HEADER})[\"']?\s*[:=]\s*)[^\r\n]+"), rf"\g<name>{HIDDEN}"),
    (re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,30}://)[^\s/@'\"]+@"), rf"\g<scheme>{HIDDEN}@"),
    (
        re.compile(rf"(?i)(?P<name>\b[\w-]{{0,40}}?(?:{_FIELD})\b[\"']?\s*[:=]\s*[\"']?)(?![\"'\s])[^\s&\"',;)}}]+"),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"\b(?P<scheme>Basic|Bearer|Token) (?=[^\s\"']*[\d=_-])[^\s\"',;]{8,}"), rf"\g<scheme> {HIDDEN}"),
    (re.compile(r"\bwb_[A-Za-z0-9_-]{16,}"), HIDDEN),
    (re.compile(r"\bATATT[A-Za-z0-9_=-]{16,}"), HIDDEN),
)


def learn(*secrets: str) -> None:
    """Hide these values from now on; what is too short to be a secret is passed over."""
    _known.update(secret for secret in secrets if len(secret) >= SECRET_CHARS_MIN)


def learn_from_url(url: str) -> None:
    """Hide the password of an address, as it is written there and as it is meant."""
    written = urlsplit(url).password or ""
    learn(written, unquote(written), quote(unquote(written), safe=""))


def mask(text: str) -> str:
    """The text without its secrets; what is around them stays readable."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
