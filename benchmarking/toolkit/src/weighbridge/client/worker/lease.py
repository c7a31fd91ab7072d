"""The lease of a run, renewed by a thread while the run is measured; lost once the server says so, or is silent."""

import random
import threading
import time
from types import TracebackType
from typing import Self

from weighbridge.client.server import ServerRefused
from weighbridge.client.worker.backoff import wait_s
from weighbridge.client.worker.link import WorkerLink, is_final
from weighbridge.client.worker.measurement import RunOrder

RENEWALS_PER_LEASE = 4
PHASE_CHARS_MAX = 120


class HeldLease:
    """A context in which the lease of an order is renewed. `taken_at_s` is the monotonic time before it was claimed."""

    def __init__(self, link: WorkerLink, order: RunOrder, *, taken_at_s: float) -> None:
        self.order, self.reason = order, ""
        self._link, self._renewed_at_s = link, taken_at_s
        self._seen, self._is_over = (0.0, "fetching the model"), threading.Event()
        self._renewal = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        """Start to renew."""
        self._renewal.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Renew no longer. The last call may still be under way, and does no harm."""
        self._is_over.set()

    @property
    def is_held(self) -> bool:
        """Whether the server can have given the run to nobody else."""
        if not self.reason and time.monotonic() - self._renewed_at_s > self.order.lease_s:
            self.reason = "The server did not answer for as long as the lease lasts."
        return not self.reason

    def progress(self, share: float, phase: str) -> None:
        """Keep the progress for the next renewal."""
        self._seen = min(max(share, 0.0), 1.0), phase[:PHASE_CHARS_MAX]

    def _renew(self) -> None:
        usual_s = self.order.lease_s / RENEWALS_PER_LEASE
        failures, pause_s = 0, 0.0
        while not self._is_over.wait(pause_s) and self.is_held:
            asked_at_s, (share, phase) = time.monotonic(), self._seen
            try:
                self._link.renew(self.order, progress=share, phase=phase)
                self._renewed_at_s, failures, pause_s = asked_at_s, 0, usual_s
            except ServerRefused as refused:
                failures += 1
                pause_s = min(wait_s(failures, chance=random.random()), usual_s)  # noqa: S311 -- spreads calls
                if is_final(refused):
                    self.reason = refused.reason
