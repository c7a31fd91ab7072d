"""When messages may leave: the hour of the daily digest and the quiet hours, in the time zone of a person or a channel.

Local times are those of PEP 495 with `fold=0`: an hour that a change of the clock skips is taken after the change, an
hour that comes twice is taken the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from governance.notifications.domain.kinds import CHANNEL_PACES, NoticePace
from weighbridge.core.errors import Invalid

DAY, QUARTER_HOUR, HOURS = timedelta(days=1), timedelta(minutes=15), 24
WINDOW = timedelta(minutes=10)
"""Messages of one kind to one person or channel are at least this far apart; what happens meanwhile is collected."""


@dataclass(frozen=True, kw_only=True)
class MailHours:
    """The hours of a person or of the channel of a team.

    Quiet hours are from `quiet_from` to before `quiet_to`; equal hours mean none.
    """

    time_zone: str = "UTC"
    digest_hour: int = 8
    quiet_from: int = 0
    quiet_to: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, kw_only=True)
class ChannelTimes:
    """How fast and when the channel of a team is told."""

    pace: NoticePace = NoticePace.AT_ONCE
    hours: MailHours = MailHours()

    @property
    def words(self) -> str:
        """As shown on its page: `Collected, once a day at 18:00, quiet from 20:00 to 7:00 (Europe/Berlin)`."""
        own = self.hours
        daily = f" at {own.digest_hour}:00" if self.pace is NoticePace.DIGEST else ""
        quiet = f", quiet from {own.quiet_from}:00 to {own.quiet_to}:00" if own.quiet_from != own.quiet_to else ""
        return f"{CHANNEL_PACES[self.pace]}{daily}{quiet} ({own.time_zone})"


def check_times(times: ChannelTimes) -> None:
    """Raise Invalid for a pace that a channel cannot have, and as `check_hours`."""
    if times.pace not in CHANNEL_PACES:
        raise Invalid(f"Choose one of these paces: {', '.join(CHANNEL_PACES)}.", field="pace")
    check_hours(times.hours)


def check_hours(hours: MailHours) -> None:
    """Raise Invalid for an unknown time zone or an hour that no clock shows."""
    if hours.time_zone not in available_timezones():
        raise Invalid("Write a time zone by its name, like Europe/Berlin.", field="time_zone")
    for name in ("digest_hour", "quiet_from", "quiet_to"):
        if not 0 <= getattr(hours, name) < HOURS:
            raise Invalid("Write an hour from 0 to 23.", field=name)


def is_quiet(hours: MailHours, *, now: datetime) -> bool:
    """Whether no message is wanted at this time."""
    hour, start, end = now.astimezone(hours.zone).hour, hours.quiet_from, hours.quiet_to
    return start <= hour < end if start <= end else hour >= start or hour < end


def quiet_end(hours: MailHours, *, now: datetime) -> datetime:
    """The end of the quiet hours that `now` is in; `now` itself outside them.

    The search runs in UTC, in steps of a quarter of an hour: when clocks change, local hours repeat or are left out,
    in some zones only half of one.
    """
    at = now
    while is_quiet(hours, now=at):
        begun = at.astimezone(UTC)
        at = begun.replace(minute=begun.minute // 15 * 15, second=0, microsecond=0) + QUARTER_HOUR
    return at


def last_digest(hours: MailHours, *, now: datetime) -> tuple[date, datetime]:
    """The latest digest that is due at `now`: its local day, and its time in UTC."""
    day = now.astimezone(hours.zone).date() + DAY
    while (at := _instant(day, hours)) > now:
        day -= DAY
    return day, at


def _instant(day: date, hours: MailHours) -> datetime:
    return datetime.combine(day, time(hours.digest_hour), tzinfo=hours.zone).astimezone(UTC)
