"""Masking of secrets: log lines and stored failure reasons pass through `mask`.

It hides the known secrets of this installation by value, and unknown secrets by pattern, such as a token in an address
that an error message repeats.
"""

import re
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "[hidden]"
MIN_SECRET_CHARS = 6  # shorter ones would mask ordinary words
_known: set[str] = set()
_HEADER = r"authorization|proxy-authorization|cookie|set-cookie|x-csrftoken|x-api-key"
_FIELD = (
    r"password|passwd|secret|client_secret|api_?key|api_?token|access_token|refresh_token|token|pwd|sessionid|csrftoken"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
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
_HINT = re.compile(r"-----BEGIN|[:=]|Basic |Bearer |Token |wb_|ATATT")
"""Every pattern needs one of these; most texts have none, and each line of the log is masked."""


def hide_secrets(*secrets: str) -> None:
    """Add values to mask; values too short to be secrets are ignored."""
    _known.update(secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS)


def hide_url_password(url: str) -> None:
    """Add the password of a URL, in its encoded and decoded forms."""
    written = urlsplit(url).password or ""
    hide_secrets(written, unquote(written), quote(unquote(written), safe=""))


def hide_known(text: str) -> str:
    """Return the text with the known secrets replaced, and nothing that only looks like one."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def mask(text: str) -> str:
    """Return the text with all secrets replaced."""
    text = hide_known(text)
    if _HINT.search(text) is None:
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
