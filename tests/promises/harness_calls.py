"""What people ask of the web process: a call is left waiting, so that whoever asks goes on while the process dies."""

import contextlib
import http.client
import select
import time


class Call:
    """One call on its way; `status` stays None where the process died or kept silent for `patience_s`."""

    def __init__(self, *, port: int, token: str, method: str, path: str, patience_s: float = 5.0) -> None:
        self.status: int | None = None
        self.is_over = False
        self._begun_s, self._patience_s, self.took_s = time.monotonic(), patience_s, 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)
        try:
            self._connection.request(method, path, headers={"Authorization": f"Token {token}", "Connection": "close"})
        except OSError:
            self._end()

    def look(self, *, within_s: float = 0.0) -> bool:
        """True once it was answered, broken off, or waited for in vain."""
        if self.is_over:
            return True
        is_told = bool(select.select([self._connection.sock], [], [], within_s)[0])
        if is_told:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.status = self._connection.getresponse().status
        if is_told or time.monotonic() - self._begun_s > self._patience_s:
            self._end()
        return self.is_over

    def _end(self) -> None:
        self._connection.close()
        self.is_over, self.took_s = True, time.monotonic() - self._begun_s
