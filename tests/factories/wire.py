"""A wire to a server that can be cut and mended, and that counts what passes."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Wire:
    """Carries bytes between a port of its own and another of this machine; while it is cut, nothing passes."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.is_cut, self.dropped_after = target, False, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self.is_cut = True
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let bytes pass again."""
        self.is_cut = False

    def drop_answers(self, count: int) -> None:
        """Lose the next answers, after the server has done its work."""
        self.dropped_after = count

    def close(self) -> None:
        """End for good."""
        self.cut()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.is_cut:
                    near.close()
                else:
                    threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(self.target) as far:
            self._ends += [near, far]
            threading.Thread(target=self._pour, args=(near, far), daemon=True).start()
            self._pour(far, near, is_answer=True)

    def _pour(self, source: socket.socket, target: socket.socket, *, is_answer: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer and self.dropped_after:
                    self.dropped_after -= 1
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(host: str, port: int) -> Iterator[Wire]:
    """A wire for the block."""
    wire = Wire((host, port))
    try:
        yield wire
    finally:
        wire.close()
