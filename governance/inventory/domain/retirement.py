"""The retirement of a model by its vendor: when it ends what depends on it, and who may announce a near day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from weighbridge.core.errors import Invalid

NOTICE = timedelta(days=30)
"""A nearer day that ends the work of another team is announced by a platform lead."""
NOTICES_DAYS = (7, 30, 90)
SOURCE_CHARS_MAX = 300


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What a vendor said: the day of retirement, or None if it retires the model no longer, and where it said so."""

    retires_on: date | None
    source: str


def end_of(retires_on: date) -> datetime:
    """The time from which nothing may depend on the model: the first minute of the day, in UTC."""
    return datetime.combine(retires_on, time(), UTC)


def notice_days(retires_on: date, *, today: date) -> int | None:
    """The nearest of 90, 30 and 7 days before the retirement that is reached; None before the first of them."""
    left = (retires_on - today).days
    return next((days for days in NOTICES_DAYS if left <= days), None)


def is_sooner(retires_on: date | None, *, than: date | None) -> bool:
    """Whether a day ends sooner what depends on the model. A model without a day is not retired."""
    return retires_on is not None and (than is None or retires_on < than)


def is_near(retires_on: date, *, today: date) -> bool:
    """Whether the day leaves less notice than others need."""
    return retires_on < today + NOTICE


def check_announcement(announcement: Announcement, *, before: date | None) -> None:
    """Raise Invalid without a source, and for the day that is already announced."""
    source = announcement.source.strip()
    if not source or len(source) > SOURCE_CHARS_MAX:
        text = f"Name in 1 to {SOURCE_CHARS_MAX} characters where the vendor announced it, for example an address."
        raise Invalid(text, field="source")
    if announcement.retires_on == before:
        known = "No retirement is announced." if before is None else f"{before} is the day already announced."
        raise Invalid(f"{known} Enter another day.", field="retires_on")


def day_text(retires_on: date | None) -> str:
    """The day in sentences."""
    return "never" if retires_on is None else retires_on.isoformat()
