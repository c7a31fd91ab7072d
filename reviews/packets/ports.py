"""What reviews needs from outside: a ticket tracker and a packet printer, as protocols and frozen words.

Nothing here knows Jira or WeasyPrint. Adapters in `reviews.integrations` keep these promises; tasks build an adapter
and pass it in; tests pass the in-process twin. No adapter sleeps or repeats a write: whoever drives the outbox decides
when.
"""

from collections.abc import Mapping
from typing import Protocol


class PrintFailed(Exception):  # noqa: N818 -- says what happened, as the port's words do
    """The packet could not be printed; `reason` is a whole sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PacketPrinter(Protocol):
    """Turns a packet's HTML into PDF bytes."""

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Print `html`; `assets` are the only files it may name, as `asset:NAME`. Raises PrintFailed."""
        ...
