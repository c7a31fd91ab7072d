"""What a whole answer is: right or not, and whether it was streamed."""

import re

from weighbridge.load.expectation import Expectation
from weighbridge.load.results.samples import RequestOutcome

STREAM_TYPES = re.compile(rb"text/event-stream|application/(x-ndjson|jsonl|stream\+json)")
# An answer without a length that comes in so many small reads is written bit by bit, as tokens are.
STREAM_READS, STREAM_READ_BYTES = 5, 1_000


def outcome_of(expect: Expectation, status: int, body: bytes | None) -> tuple[RequestOutcome, str, bytes]:
    """Return the outcome of an answer, what is wrong, and what of the answer shows it; `body` is None if unchecked."""
    if why := expect.status_complaint(status):
        return RequestOutcome.WRONG_STATUS, why, b""
    if body is None:
        return RequestOutcome.ANSWERED, "", b""
    if why := expect.body_complaint(body):
        return RequestOutcome.WRONG_ANSWER, why, body
    return RequestOutcome.CHECKED, "", b""


def comes_in_bits(*, reads: int, size: int) -> bool:
    """Whether an answer of `size` bytes came in many small reads."""
    return reads >= STREAM_READS and size < STREAM_READ_BYTES * reads
