"""What an answer must be: its status always, its body every so many answers, so that rubbish at full speed
is no win.
"""

import dataclasses
import hashlib
import json
import re

from weighbridge.core.errors import Invalid

SHOWN_CHARS = 80


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectation:
    """`statuses` empty means any 2xx. `json_key` is a path with dots (`predictions.0`); `every` counts requests."""

    statuses: tuple[int, ...] = ()
    json_key: str = ""
    body_sha256: str = ""
    every: int = 10

    def __post_init__(self) -> None:
        """Refuse what no answer could meet."""
        if any(not 200 <= status <= 599 for status in self.statuses):
            raise Invalid("A status to expect lies between 200 and 599.", field="expect_status")
        if self.body_sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.body_sha256):
            raise Invalid("The SHA-256 of the body is 64 hexadecimal digits.", field="expect_body_sha256")
        if self.every < 1:
            raise Invalid("Check every answer (1) or every k-th (k).", field="check_every")

    @property
    def reads_bodies(self) -> bool:
        """Whether bodies are looked at."""
        return bool(self.json_key or self.body_sha256)

    def status_complaint(self, status: int) -> str:
        """Say what is wrong with a status; nothing when it is as expected."""
        if status in self.statuses or (not self.statuses and 200 <= status <= 299):
            return ""
        redirect = "; redirects are not followed" if 300 <= status <= 399 else ""
        return f"the answer had status {status}{redirect}"

    def body_complaint(self, body: bytes) -> str:
        """Say what is wrong with a body; nothing when it is as expected."""
        if self.body_sha256 and hashlib.sha256(body).hexdigest() != self.body_sha256:
            return f"the body has another SHA-256; it begins {shown(body)}"
        if self.json_key and not _holds(body, self.json_key.split(".")):
            return f"the body holds no {self.json_key!r}; it begins {shown(body)}"
        return ""


def shown(text: bytes) -> str:
    """Return the beginning of an answer as text that can be printed anywhere."""
    return ascii(text[:SHOWN_CHARS].decode(errors="replace"))


def _holds(body: bytes, path: list[str]) -> bool:
    try:
        found = json.loads(body)
        for key in path:
            found = found[int(key)] if isinstance(found, list) else found[key]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return False
    return True
