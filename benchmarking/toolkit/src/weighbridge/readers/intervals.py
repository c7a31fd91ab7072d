"""Intervals from the standard errors that tools of evaluation state."""

from decimal import Decimal

from weighbridge.readers.findings import Findings, Sample
from weighbridge.readers.imported_result import ImportStatus

CONFIDENCE = Decimal("0.95")
Z_95 = Decimal("1.959963984540054")
"""The 97.5th percentile of the normal distribution."""
ROWS_MIN = 30
"""The rows that our own slices need, too, before they get intervals."""
DEGENERATE = "The tool states a standard error of 0, which bounds nothing: all answers had the same score."


def normal_sample(
    findings: Findings, name: str, *, value: Decimal | None, error: Decimal | None, n: int | None, is_share: bool
) -> Sample:
    """Return the sample of a mean with the interval value ± 1.96 standard errors, within 0 to 1 for a share.

    A standard error of 0 or below gives no interval, and a reason; with fewer than 30 rows the interval is doubted.
    """
    if value is None or error is None:
        return Sample(n=n)
    if error <= 0:
        findings.absent(f"{name} interval", DEGENERATE)
        return Sample(n=n)
    if n is not None and n < ROWS_MIN:
        text = f"The interval of {name} is of {n} rows; an interval from a standard error needs {ROWS_MIN} or more."
        findings.doubt(ImportStatus.INDICATIVE, text)
    lower, upper = value - Z_95 * error, value + Z_95 * error
    if is_share and 0 <= value <= 1:
        lower, upper = max(lower, Decimal(0)), min(upper, Decimal(1))
    return Sample(n=n, lower=lower, upper=upper, confidence=CONFIDENCE)
