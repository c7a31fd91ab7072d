"""The calls of a worker to its server. Each call about a run carries the lease, which the server checks."""

import dataclasses
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.client.server import PlatformServer, ServerRefused, Upload
from weighbridge.client.worker.measurement import RunOrder, read_order
from weighbridge.core.canonical import plain

BASE = "/api/v1/worker/"
FILE_BYTES_MAX = 1 << 40
RENEWAL_S_MAX = 10.0
FINAL = frozenset({400, 401, 403, 404, 409, 413, 415, 422})
"""Answers that the same call would get again."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    """What the server says about this worker: its name, queue and the digest of its key, and whether a run waits."""

    name: str
    queue: str
    key_id: str
    is_run_waiting: bool


def is_final(refused: ServerRefused) -> bool:
    """Whether the server answered for good; otherwise the same call may succeed later."""
    return refused.http_status in FINAL


class WorkerLink:
    """A worker's server. Every method raises ServerRefused, with the status 0 if no answer came."""

    def __init__(self, server: PlatformServer) -> None:
        self.server = server

    def identify(self) -> WorkerIdentity:
        """Who this worker is to the server."""
        found = self.server.get(BASE)
        words = {name: found.get(name) for name in ("name", "queue", "key_id")}
        if not all(isinstance(word, str) for word in words.values()):
            raise ServerRefused("The server does not describe this worker; it may have another version.")
        given = {name: str(word) for name, word in words.items()}
        return WorkerIdentity(**given, is_run_waiting=found.get("is_run_waiting") is True)

    def claim(self, *, at: datetime, key: str) -> RunOrder | None:
        """Take the next run of this worker's queue; None if there is none. The same `key` takes one run."""
        order = self.server.post(f"{BASE}take/", {"at": plain(at)}, key=key).get("order")
        return read_order(order) if isinstance(order, Mapping) else None

    def renew(self, order: RunOrder, *, progress: float, phase: str) -> None:
        """Renew the lease, within the time that it lasts."""
        quick = dataclasses.replace(self.server, timeout_s=min(order.lease_s / 2, RENEWAL_S_MAX))
        body = {"lease": order.lease, "progress": progress, "phase": phase}
        quick.post(f"{BASE}runs/{order.run}/renew/", body)

    def download(self, order: RunOrder, digest: str, target: Path, *, should_stop: Callable[[], bool]) -> None:
        """Append to `target` what it still lacks of a file of the run."""
        path, lease = f"{BASE}runs/{order.run}/files/{digest}/", str(order.lease)
        self.server.download(path, target, bytes_max=FILE_BYTES_MAX, should_stop=should_stop, lease=lease)

    def finish(self, order: RunOrder, *, file: Path, envelope: Mapping[str, Any]) -> None:
        """Send the result document, a JSON file, and the signed statement about it."""
        fields = {"lease": str(order.lease), "envelope": json.dumps(envelope)}
        upload = Upload(fields, file, boundary=f"weighbridge-{secrets.token_hex(16)}")
        self.server.upload(f"{BASE}runs/{order.run}/result/", upload)

    def fail(self, order: RunOrder, *, reason: str) -> None:
        """Report that the model cannot be measured; the run ends with the reason."""
        self._end(order, "failure", {"reason": reason})

    def hand_back(self, order: RunOrder, *, reason: str, is_stopped: bool) -> None:
        """Give the run back to the queue. Where the worker `is_stopped` in an orderly way, no attempt is used."""
        self._end(order, "hand-back", {"reason": reason, "is_stopped": is_stopped})

    def _end(self, order: RunOrder, step: str, fields: Mapping[str, Any]) -> None:
        body = {"lease": order.lease, **fields}
        self.server.post(f"{BASE}runs/{order.run}/{step}/", body)
