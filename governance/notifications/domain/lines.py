"""What a message says: its lines, and the first words of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.notifications.domain.kinds import title_of

SHOWN_MAX = 50


@dataclass(frozen=True, kw_only=True)
class NoticeLine:
    """One notification in a message; `url` opens its object."""

    kind: str
    reference: str
    sentence: str
    url: str
    at: datetime
    until: datetime | None = None
    meets_at: datetime | None = None
    in_place_of: str = ""

    @property
    def title(self) -> str:
        """The title of its kind."""
        return title_of(self.kind)

    @property
    def text(self) -> str:
        """The sentence, with the end and the absent person if there are any."""
        parts = [" ".join(self.sentence.split())]
        parts += [f"Until {self.until:%Y-%m-%d %H:%M} UTC."] if self.until else []
        parts += [f"In the place of {self.in_place_of}."] if self.in_place_of else []
        return " ".join(parts)


def headline(lines: Sequence[NoticeLine]) -> str:
    """The subject of a message, on one line: of one notification what it is about, of several how many and of what."""
    first = lines[0]
    if len(lines) == 1:
        return " ".join(f"{first.title}: {first.reference}".split())
    titles = sorted({line.title for line in lines})
    if len(titles) == 1:
        return f"{titles[0]}: {len(lines)} notifications"
    return f"{len(lines)} notifications"
