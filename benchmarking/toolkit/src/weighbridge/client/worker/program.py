"""The program of a worker: claim a run, fetch its files, measure, sign, send, and begin again.

Nothing that goes wrong here ends a run without a word: a model that cannot be measured fails with its reason, and a run
that this machine cannot do goes back to the queue. Once the lease is lost, the sandbox is killed and nothing is sent.
"""

import json
import logging
import random
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.client.server import ServerRefused
from weighbridge.client.worker.backoff import wait_s
from weighbridge.client.worker.cache import RUN, FileCache, MachineFault
from weighbridge.client.worker.lease import HeldLease
from weighbridge.client.worker.link import WorkerLink, is_final
from weighbridge.client.worker.measurement import RunOrder, execute
from weighbridge.client.worker.statement import sign_statement, statement_of
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.systems.sandbox.process import RunCanceled

log = logging.getLogger(__name__)

IDLE_S = 5.0
FAREWELLS_MAX = 3
NOT_A_WORKER = frozenset({401, 403, 404})
STOPPED = "The worker was stopped. The run is queued again for another worker."


class BenchmarkWorker:
    """A worker with its link, its private key (PEM) and its cache. `clock` tells the time, `say` tells a person."""

    def __init__(
        self,
        link: WorkerLink,
        *,
        key_pem: str,
        cache: FileCache,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
        idle_s: float = IDLE_S,
    ) -> None:
        self.link, self.cache, self.clock, self.say, self.idle_s = link, cache, clock, say, idle_s
        self._key_pem, self._is_stopping, self._failures = key_pem, threading.Event(), 0
        self._claim: tuple[str, datetime] | None = None

    def stop(self) -> None:
        """Give the run in hand back, and end. May be called from a signal handler."""
        self._is_stopping.set()

    def work(self, *, is_once: bool = False) -> None:
        """Take runs until `stop`, or one run; raise ServerRefused if the server knows no such worker."""
        while not self._is_stopping.is_set():
            taken_at_s = time.monotonic()
            order = self._claimed()
            if order is not None:
                self._do(order, taken_at_s=taken_at_s)
                if is_once:
                    return

    def _claimed(self) -> RunOrder | None:
        """The next run; waits if there is none, or no answer. A claim whose answer was lost is sent again unchanged.

        Only while a run waits is one claimed: the server keeps the answers of claims for days, but not of questions.
        """
        order = None
        try:
            if self._claim is not None or self.link.identify().is_run_waiting:
                key, at = self._claim = self._claim or (secrets.token_hex(16), self.clock())
                order = self.link.claim(at=at, key=key)
        except ServerRefused as refused:
            if refused.http_status in NOT_A_WORKER:
                raise
            if refused.http_status:
                self._claim = None
            self._failures += 1
            self.say(refused.reason)
            self._pause(wait_s(self._failures, chance=_chance()))
            return None
        self._failures, self._claim = 0, None
        if order is None:
            self._pause(self.idle_s * (0.5 + _chance()))
        return order

    def _do(self, order: RunOrder, *, taken_at_s: float) -> None:
        self.say(f"run {order.run} ({order.key}): measuring")
        with (
            tempfile.TemporaryDirectory(prefix=RUN, dir=self.cache.folder) as folder,
            HeldLease(self.link, order, taken_at_s=taken_at_s) as lease,
        ):
            try:
                self._finish(order, lease, Path(folder))
            except RunCanceled:
                self._leave(order, lease)
            except (ServerRefused, MachineFault) as refused:
                self._hand_back(order, lease, refused.reason)
            except Refused as failure:
                reason = failure.reason
                self._settle(order, lease, lambda: self.link.fail(order, reason=reason), f"failed: {reason}")
            except Exception as error:
                log.exception("Run %s failed because of an internal error, not because of the model.", order.run)
                self._hand_back(order, lease, f"{type(error).__name__}: {error}")
        self.cache.trim()

    def _finish(self, order: RunOrder, lease: HeldLease, folder: Path) -> None:
        def fetch(digest: str, target: Path) -> Path:
            if self.cache.find(digest) is None:
                self._download(order, lease, digest)
            return self.cache.copy(digest, target)

        follow = lease.progress, lambda: self._should_stop(lease)
        measured = execute(order.measurement, fetch=fetch, folder=folder, follow=follow, now=self.clock)
        file = folder / "result.json"
        file.write_text(json.dumps(measured, allow_nan=False))
        # As the server will read it, so that both take the digest of the same document.
        result: Any = parse_json(file.read_bytes(), name="The result", limits=MEASUREMENT)
        envelope = sign_statement(statement_of(order, result), private_key_pem=self._key_pem)
        self._deliver(lease, lambda: self.link.finish(order, file=file, envelope=envelope))
        self.say(f"run {order.run}: done")

    def _download(self, order: RunOrder, lease: HeldLease, digest: str) -> None:
        partial = self.cache.partial(digest)
        try:
            stop = lambda: self._should_stop(lease)  # noqa: E731 -- a call to repeat
            self._deliver(lease, lambda: self.link.download(order, digest, partial, should_stop=stop))
        except ServerRefused:
            partial.unlink(missing_ok=True)  # what the server does not continue is fetched anew
            raise
        except OSError as error:
            raise MachineFault(f"A file cannot be kept on this machine: {error.strerror}.") from error
        self.cache.keep(digest)

    def _deliver(self, lease: HeldLease, call: Callable[[], None]) -> None:
        """Call until the server answers; raise RunCanceled if the lease is lost, or the worker is to stop meanwhile."""
        failures = 0
        while lease.is_held:
            try:
                return call()
            except ServerRefused as refused:
                if is_final(refused):
                    raise
                failures += 1
                self.say(refused.reason)
                self._pause(wait_s(failures, chance=_chance()))
            if self._is_stopping.is_set():
                break
        raise RunCanceled("The worker was stopped, or the lease was lost.")

    def _leave(self, order: RunOrder, lease: HeldLease) -> None:
        """Give the run of a stopped worker back; a lost one is nobody's to give."""
        if not lease.is_held:
            self.say(f"run {order.run}: left, {lease.reason}")
            return
        for _ in range(FAREWELLS_MAX):
            try:
                self.link.hand_back(order, reason=STOPPED, is_stopped=True)
            except ServerRefused as refused:
                self.say(refused.reason)
                if is_final(refused):
                    return
            else:
                self.say(f"run {order.run}: given back")
                return

    def _hand_back(self, order: RunOrder, lease: HeldLease, reason: str) -> None:
        give = lambda: self.link.hand_back(order, reason=reason, is_stopped=False)  # noqa: E731 -- a call to repeat
        self._settle(order, lease, give, f"given back: {reason}")

    def _settle(self, order: RunOrder, lease: HeldLease, call: Callable[[], None], words: str) -> None:
        try:
            self._deliver(lease, call)
        except (RunCanceled, ServerRefused) as refused:
            words = f"left, {refused.reason}"
        self.say(f"run {order.run}: {words}")

    def _should_stop(self, lease: HeldLease) -> bool:
        return self._is_stopping.is_set() or not lease.is_held

    def _pause(self, seconds: float) -> None:
        self._is_stopping.wait(seconds)


def _chance() -> float:
    return random.random()  # noqa: S311 -- spreads calls
