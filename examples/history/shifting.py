"""The values of one copy: keys, digests, references, dates and names of a block."""

import base64
import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from examples.history.levels import Block, Level

Instant = TypeVar("Instant", bound=date)


def is_original(level: Level, block: Block) -> bool:
    """Whether the copy keeps the names and digests of the recording."""
    match level:
        case Level.ONCE:
            return True
        case Level.DIVISION:
            return block.division == 0
        case Level.YEAR:
            return block.years == 0
        case Level.BRANCH:
            return block.division == block.years == 0
        case Level.BLOCK:
            return block.years == block.order == 0


def label(level: Level, block: Block) -> str:
    """The number that the names of a copy have."""
    return f"{block.division}-{block.years}" if level == Level.BRANCH else str(block.copy_of(level))


def name(text: str, level: Level, block: Block) -> str:
    """The name in the copy."""
    joint = "-" if text.islower() and " " not in text else " "
    return text if is_original(level, block) else f"{text}{joint}{label(level, block)}"


def digest(text: str, level: Level, block: Block) -> str:
    """The digest in the copy: as random as that of the recording."""
    if is_original(level, block):
        return text
    return hashlib.sha256(f"{text} {int(level)} {block.copy_of(level)}".encode()).hexdigest()


def token(text: str, block: Block) -> str:
    """A token of an address in the copy, which has 128 random bits."""
    if is_original(Level.BLOCK, block):
        return text
    drawn = hashlib.sha256(f"{text} {block.number}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(drawn).decode().rstrip("=")


def reference(text: str, block: Block, per_block: int) -> str:
    """The reference in the copy: `MRR-2026-0003` of block 2 with 24 requests in 2019 is `MRR-2019-0051`."""
    prefix, year, number = text.rsplit("-", 2)
    if year.isdigit():
        return f"{prefix}-{int(year) - block.years}-{block.order * per_block + int(number):04}"
    return f"{prefix}-{int(year[:4]) - block.years}{year[4:]}-{block.order * per_block + int(number):02}"


def period(text: str, block: Block) -> str:
    """A quarter or a month, as many years earlier."""
    return f"{int(text[:4]) - block.years}{text[4:]}"


def moment(text: str, block: Block, level: Level) -> str:
    """An instant in the same notation; those of a block are some days earlier, too."""
    at = datetime.fromisoformat(text)
    shifted = _earlier(at, block, level)
    written = shifted.isoformat(sep=text[10])
    for end in ("Z", "+00:00", "+00"):
        if text.endswith(end):
            return written.removesuffix("+00:00") + end
    return written


def instant(text: str, block: Block, level: Level) -> datetime:
    """The instant of `moment`, as a datetime in UTC."""
    return _earlier(datetime.fromisoformat(text), block, level).astimezone(UTC)


def day(text: str, block: Block, level: Level) -> str:
    """A day; the first day of a month stays one, because it stands for the month."""
    on = date.fromisoformat(text)
    return period(text, block) if on.day == 1 else _earlier(on, block, level).isoformat()


def _earlier(at: Instant, block: Block, level: Level) -> Instant:
    year = at.year - block.years
    is_leap_day = (at.month, at.day) == (2, 29)
    shifted = at.replace(year=year, day=28) if is_leap_day else at.replace(year=year)
    return shifted + timedelta(days=block.days) if level == Level.BLOCK else shifted
