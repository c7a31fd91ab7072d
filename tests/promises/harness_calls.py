"""What people ask of the web process: a call is left waiting, so that whoever asks goes on while the process dies."""

import contextlib
import http.client
import select
import time
from collections.abc import Mapping

PATIENCE_S = 5.0


class Call:
    """One call on its way; `status` stays None where the process died or kept silent for `PATIENCE_S`."""

    def __init__(self, *, port: int, method: str, path: str, headers: Mapping[str, str]) -> None:
        self.status: int | None = None
        self.text, self.is_over = "", False
        self._begun_s, self.took_s = time.monotonic(), 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            self._connection.request(method, path, headers={**headers, "Connection": "close"})
        except OSError:
            self._end()

    def look(self, *, within_s: float = 0.0) -> bool:
        """True once it was answered, broken off, or waited for in vain."""
        if self.is_over:
            return True
        is_told = bool(select.select([self._connection.sock], [], [], within_s)[0])
        if is_told:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self._connection.getresponse()
                self.text, self.status = answer.read().decode(), answer.status
        if is_told or time.monotonic() - self._begun_s > PATIENCE_S:
            self._end()
        return self.is_over

    def _end(self) -> None:
        self._connection.close()
        self.is_over, self.took_s = True, time.monotonic() - self._begun_s
