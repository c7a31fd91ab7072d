"""Expected answers: checks the status of every answer and the bodies of a random sample of answers."""

import dataclasses
import hashlib
import re

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.masking import mask
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT

SHOWN_CHARS = 80
# A secret that begins among the characters shown ends within these.
MASKED_BYTES = 16_384


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectation:
    """Expected status and body; empty `statuses` means any 2xx, `json_key` is a dotted path (`predictions.0`).

    Of each `every` requests in turn, the body of one is checked.
    """

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
            return "the body has another SHA-256"
        if self.json_key and not _has_path(body, self.json_key.split(".")):
            return f"the body has no key {self.json_key!r}"
        return ""

    def checked(self, requests: int, *, seed: int) -> NDArray[np.bool_]:
        """Return which requests of a schedule have their bodies checked: one at random of each `every` in turn.

        A fixed step would always meet the same bodies where they are sent in turn.
        """
        chosen = np.zeros(requests, dtype=np.bool_)
        if self.reads_bodies and requests:
            starts = np.arange(0, requests, self.every)
            sizes = np.minimum(self.every, requests - starts)
            chosen[starts + np.random.default_rng([seed, self.every]).integers(0, sizes)] = True
        return chosen


def excerpt(text: bytes) -> str:
    """Return the start of an answer as printable ASCII, without known secrets, which a target may repeat."""
    return ascii(mask(text[:MASKED_BYTES].decode(errors="replace"))[:SHOWN_CHARS])


def _has_path(body: bytes, path: list[str]) -> bool:
    try:
        value = parse_json(body, limits=MEASUREMENT)
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (Refused, ValueError, KeyError, IndexError, TypeError):
        return False
    return True
