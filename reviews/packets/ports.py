"""The port of the packet printer, independent of WeasyPrint; `reviews.packets.printing` implements it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class PrintFailed(Exception):  # noqa: N818 -- named after what happened, like all errors of the port
    """The packet could not be printed; `reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PrintedPages:
    """A printed section: how many pages it has, and on which of them (from 0) each of its anchors stands."""

    count: int
    places: Mapping[str, int]


class PacketPrinter(Protocol):
    """Converts the HTML of a packet to PDF."""

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Print `html`; it can use only files in `assets`, as `asset:NAME`. Raises PrintFailed."""
        ...
