"""When a condition may be due."""

from datetime import date, timedelta

from weighbridge.core.errors import Invalid

DUE_WITHIN = timedelta(days=3650)


def check_due(due_on: date, *, today: date, field: str) -> None:
    """Raise Invalid for a due date in the past, and for one so late that the condition would never suspend."""
    if due_on < today:
        raise Invalid("The due date of a condition cannot be in the past.", field=field)
    if due_on > today + DUE_WITHIN:
        years = DUE_WITHIN.days // 365
        raise Invalid(f"The due date of a condition must lie within {years} years.", field=field)
