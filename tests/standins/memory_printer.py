"""An in-memory implementation of the printer port, for tests."""

from collections.abc import Mapping

from reviews.packets.ports import PrintFailed


class MemoryPrinter:
    """A PacketPrinter that stores its input and returns bytes that begin like a PDF."""

    failure: PrintFailed | None = None

    def __init__(self) -> None:
        self.printed: list[tuple[str, dict[str, bytes]]] = []

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Return the HTML after a PDF header, or raise `failure` if one is set."""
        if self.failure is not None:
            raise self.failure
        self.printed.append((html, dict(assets)))
        return b"%PDF-1.7\n" + html.encode()
