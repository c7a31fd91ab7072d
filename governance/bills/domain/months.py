"""Months for which a bill is plausible."""

from datetime import date, timedelta

from governance.bills.domain.file_kind import bad_file

YEARS_BACK, DAYS_AHEAD = 10, 45


def check_month(month: date, *, today: date) -> None:
    """Raise Invalid unless bills of this month are plausible: of the last ten years, and not later than next month."""
    if not today.year - YEARS_BACK <= month.year or month > today + timedelta(days=DAYS_AHEAD):
        raise bad_file(
            "implausible_month",
            f"The file has charges of {month:%Y-%m}. Bills can be of the last {YEARS_BACK} years, up to next month.",
        )
