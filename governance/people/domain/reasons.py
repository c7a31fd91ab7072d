"""The one rule for reasons that people give: long enough to tell a reader something, short enough to be read."""

from weighbridge.core.errors import Invalid

REASON_CHARS_MIN, REASON_CHARS_MAX = 10, 2_000
REASON_RULE = f"Give a reason of {REASON_CHARS_MIN} to {REASON_CHARS_MAX:,} characters."


def check_reason(reason: str, *, why: str = "") -> None:
    """Raise Invalid unless the reason has 10 to 2,000 characters. `why` is a sentence that says why it is needed."""
    if len(reason.strip()) < REASON_CHARS_MIN or len(reason) > REASON_CHARS_MAX:
        raise Invalid(f"{why} {REASON_RULE}".strip(), field="reason")
