"""Keeps the processes of a stack at work: starts again what ended or takes nothing, and the embedded database."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import DatabaseError, connection

from governance.jobs.queries import doubt_of_clock, is_broker_away, pulse, signs
from governance.operations.management.stack import QUEUES, TICK, Stack

STALLED_AFTER_S, BEGINS_WITHIN_S = 35.0, 120.0
STARTS_MAX, STARTS_WITHIN_S = 10, 60.0
Signs = Mapping[str, datetime]
Clock = Callable[[], float]


class SignWatch:
    """Finds the names whose sign has not changed for 35 s. It compares signs, not clocks: a clock may jump.

    The first change may take 120 s, because a process starts slowly on a busy machine.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime | None, float, float]] = {}

    def forget(self, *names: str) -> None:
        """Begin to wait anew for these names, or for all."""
        for name in names or tuple(self._seen):
            self._seen.pop(name, None)

    def is_older(self, name: str, *, than_s: float, at_s: float) -> bool:
        """Whether the sign of a name has not changed for this time."""
        return at_s - self._seen[name][1] > than_s

    def stalled(self, shown: Mapping[str, datetime | None], *, at_s: float) -> list[str]:
        """The stalled names, given the latest sign of each at a monotonic time."""
        for name, sign in shown.items():
            if name not in self._seen:
                self._seen[name] = (sign, at_s, BEGINS_WITHIN_S)
            elif self._seen[name][0] != sign:
                self._seen[name] = (sign, at_s, STALLED_AFTER_S)
        return [name for name in shown if self.is_older(name, than_s=self._seen[name][2], at_s=at_s)]


class Supervisor:
    """Looks after a running stack. `revive` starts the database if it has ended, and answers whether it had."""

    def __init__(
        self,
        stack: Stack,
        *,
        say: Callable[[str], None],
        revive: Callable[[], bool] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.stack, self.say, self.revive, self.clock = stack, say, revive, clock
        self.watch, self.starts, self.is_database_away = SignWatch(), dict[str, deque[float]](), False
        self.doubt = ""

    def look(self) -> None:
        """Look once. Raises SystemExit with a sentence if something cannot be kept at work."""
        self._look_at_database()
        for name in self.stack.ended():
            code = self.stack.children[name].returncode
            self._restart(name, f"The process {name} ended ({_how(code)}).")
        for name in self._stalled():
            self._restart(name, f"The process {name} takes nothing.")

    def _look_at_database(self) -> None:
        try:
            was_revived = self.revive is not None and self.revive()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next look tries again
            self._count("database", f"The database ended and does not start ({type(error).__name__}: {error}).")
            return
        if was_revived:
            self._count("database", "The database ended.", "It was started again; nothing is lost.")

    def _stalled(self) -> list[str]:
        """Stalled processes. Workers can show signs only while the tick, which asks for them, reaches the broker."""
        try:
            tick, shown, is_cut_off, doubt = pulse(TICK), signs(), is_broker_away(), doubt_of_clock()
        except DatabaseError:
            connection.close()
            self._tell_database(is_away=True)
            self.watch.forget()
            return []
        self._tell_database(is_away=False)
        self._tell_doubt(doubt)
        at_s = self.clock()
        if self.watch.stalled({TICK: tick}, at_s=at_s) and TICK in self.stack.children:
            return [TICK]
        workers = {name: shown.get(queue) for name, queue in QUEUES.items() if name in self.stack.children}
        if is_cut_off or self.watch.is_older(TICK, than_s=10.0, at_s=at_s):
            self.watch.forget(*workers)
        return self.watch.stalled(workers, at_s=at_s)

    def _tell_database(self, *, is_away: bool) -> None:
        if is_away is not self.is_database_away:
            self.is_database_away = is_away
            self.say("The database does not respond. Work waits." if is_away else "The database responds again.")

    def _tell_doubt(self, doubt: str) -> None:
        if bool(doubt) is not bool(self.doubt):
            skips = "Until then, nothing expires, lapses or closes."
            self.say(f"{doubt} {skips}" if doubt else "The clock is trusted again.")
        self.doubt = doubt

    def _restart(self, name: str, what: str) -> None:
        self._count(name, what, f"It is started again. Its log: {self.stack.logs / name}.log")
        self.stack.restart(name)
        self.watch.forget(name)

    def _count(self, name: str, what: str, then: str = "") -> None:
        """Say what happened and what is done; give up after ten times in a minute."""
        starts, at_s = self.starts.setdefault(name, deque(maxlen=STARTS_MAX)), self.clock()
        if len(starts) == STARTS_MAX and at_s - starts[0] < STARTS_WITHIN_S:
            raise SystemExit(f"{what} It has ended {STARTS_MAX} times within a minute. Stopping; nothing is lost.")
        starts.append(at_s)
        self.say(f"{what} {then}".strip())


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
