"""Intervals from the standard errors that tools of evaluation state."""

from decimal import Decimal

from weighbridge.readers.findings import Findings, Sample

CONFIDENCE = Decimal("0.95")
Z_95 = Decimal("1.959963984540054")
"""The 97.5th percentile of the normal distribution."""
DEGENERATE = "The tool states a standard error of 0, which bounds nothing: all answers had the same score."


def normal_sample(
    findings: Findings, name: str, *, value: Decimal | None, error: Decimal | None, n: int | None, is_share: bool
) -> Sample:
    """Return the sample of a mean with the interval value ± 1.96 standard errors, within 0 to 1 for a share.

    A standard error of 0 or below gives no interval, and a reason.
    """
    if value is None or error is None:
        return Sample(n=n)
    if error <= 0:
        findings.absent(f"{name} interval", DEGENERATE)
        return Sample(n=n)
    lower, upper = value - Z_95 * error, value + Z_95 * error
    if is_share and 0 <= value <= 1:
        lower, upper = max(lower, Decimal(0)), min(upper, Decimal(1))
    return Sample(n=n, lower=lower, upper=upper, confidence=CONFIDENCE)
