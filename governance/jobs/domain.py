"""Whether a clock may be trusted with steps that cannot be undone. Times are aware datetimes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

JUMP = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class ClockReading:
    """A reading of this machine's clock and of the database's, and what the last tick left.

    `course` is what the clock would show now if it had not jumped since it was last trusted, and `every` the time
    between two ticks. `last_tick` and `course` are None before the first tick.
    """

    now: datetime
    database: datetime
    last_tick: datetime | None
    course: datetime | None
    every: timedelta = timedelta(0)


def course_of(reading: ClockReading) -> datetime:
    """The undisturbed course of the clock: it follows small steps, but no jump, so that a jump back restores trust."""
    if reading.last_tick is None or reading.course is None:
        return reading.now
    step = reading.now - reading.last_tick
    return reading.course + step if abs(step) <= JUMP + reading.every else reading.course


def clock_doubt(reading: ClockReading) -> str:
    """Why the clock is not trusted, as a sentence; "" if it is."""
    apart, jumped = reading.now - reading.database, reading.now - course_of(reading)
    if abs(apart) > JUMP:
        return f"The clock of this machine is {_words(apart)} the clock of the database. Set the wrong one right."
    if abs(jumped) > JUMP + reading.every:
        what = f"The clock is {_words(jumped)} its course since the last tick. If it is wrong, set it right."
        return f"{what} If it is right, because nothing ran meanwhile, confirm it with: manage.py confirm_clock"
    return ""


def _words(difference: timedelta) -> str:
    """Such as "400 days ahead of" or "3 hours behind"."""
    hours = round(abs(difference) / timedelta(hours=1))
    amount = f"{hours // 24} days" if hours >= 48 else f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{amount} {'ahead of' if difference > timedelta(0) else 'behind'}"
