"""Expected answers: checks the status of every answer and the body of every n-th answer."""

import dataclasses
import hashlib
import re

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT

SHOWN_CHARS = 80


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectation:
    """Expected status and body; empty `statuses` means any 2xx, `json_key` is a dotted path (`predictions.0`)."""

    statuses: tuple[int, ...] = ()
    json_key: str = ""
    body_sha256: str = ""
    every: int = 10

    def __post_init__(self) -> None:
        """Raise Invalid for expectations that no answer can meet."""
        if any(not 200 <= status <= 599 for status in self.statuses):
            raise Invalid("An expected status must be between 200 and 599.", field="expect_status")
        if self.body_sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.body_sha256):
            raise Invalid("The SHA-256 of the body must have 64 hexadecimal digits.", field="expect_body_sha256")
        if self.every < 1:
            raise Invalid("The interval of checks must be 1 (every answer) or more.", field="check_every")

    @property
    def reads_bodies(self) -> bool:
        """Whether bodies are checked."""
        return bool(self.json_key or self.body_sha256)

    def status_complaint(self, status: int) -> str:
        """Return the error of a status, empty if it is as expected."""
        if status in self.statuses or (not self.statuses and 200 <= status <= 299):
            return ""
        redirect = "; redirects are not followed" if 300 <= status <= 399 else ""
        return f"the answer had status {status}{redirect}"

    def body_complaint(self, body: bytes) -> str:
        """Return the error of a body, empty if it is as expected."""
        if self.body_sha256 and hashlib.sha256(body).hexdigest() != self.body_sha256:
            return f"the body has another SHA-256; it starts with {excerpt(body)}"
        if self.json_key and not _has_path(body, self.json_key.split(".")):
            return f"the body has no key {self.json_key!r}; it starts with {excerpt(body)}"
        return ""


def excerpt(text: bytes) -> str:
    """Return the start of an answer as printable ASCII."""
    return ascii(text[:SHOWN_CHARS].decode(errors="replace"))


def _has_path(body: bytes, path: list[str]) -> bool:
    try:
        value = parse_json(body, limits=MEASUREMENT)
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (Refused, ValueError, KeyError, IndexError, TypeError):
        return False
    return True
