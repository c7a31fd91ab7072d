"""In-process twins of the adapters: the same promises, kept in dictionaries. For tests, and for trying things out."""

from collections.abc import Mapping

from reviews.packets.ports import PrintFailed


class MemoryPrinter:
    """A PacketPrinter that keeps what it was given and answers bytes that begin as a PDF does."""

    failure: PrintFailed | None = None

    def __init__(self) -> None:
        self.printed: list[tuple[str, dict[str, bytes]]] = []

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Answer the text behind a PDF's first line, or raise `failure` where one was set."""
        if self.failure is not None:
            raise self.failure
        self.printed.append((html, dict(assets)))
        return b"%PDF-1.7\n" + html.encode()
