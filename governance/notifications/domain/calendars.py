"""A meeting as an iCalendar file (RFC 5545)."""

from datetime import UTC, datetime, timedelta

LENGTH, OCTETS_MAX = timedelta(hours=1), 75
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def calendar_file(*, uid: str, title: str, url: str, starts_at: datetime, stated_at: datetime, now: datetime) -> str:
    """The file of one meeting of an hour. Lines are folded after 75 octets.

    Of two files with the same UID, calendars show the one whose time was stated later: its SEQUENCE is higher.
    """
    sequence = max(0, int((stated_at - _FIRST).total_seconds()))
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Weighbridge//Notifications//EN", "METHOD:PUBLISH"),
        *("BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{_utc(now)}", f"DTSTART:{_utc(starts_at)}"),
        f"SEQUENCE:{sequence}",
        *(f"DTEND:{_utc(starts_at + LENGTH)}", f"SUMMARY:{_escaped(title)}", f"URL:{url}"),
        *("END:VEVENT", "END:VCALENDAR"),
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """The line with a break and a space before the character that would exceed the limit."""
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS_MAX:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += octets
    return "\r\n".join(parts)
