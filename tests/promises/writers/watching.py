"""Samples of a running installation: memory of each process, connections of its database, the age of its queue."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from django.db import connection

EVERY_S, SAMPLES_MIN = 1.0, 20
AGES = """SELECT kind || CASE WHEN asked_by = '' THEN ' by nobody' ELSE '' END,
extract(epoch FROM now() - min(next_attempt_at)) FROM jobs_outboxmessage
WHERE state = 'queued' AND next_attempt_at <= now() GROUP BY 1"""
"""Since when the oldest due message of each kind waits."""


class Watch(threading.Thread):
    """Looks once a second; `roots` are the process IDs of the installation by name."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        super().__init__(daemon=True)
        self.roots, self.over = roots, threading.Event()
        self.memory_mb: dict[str, list[float]] = defaultdict(list)
        self.connections: list[int] = []
        self.queue_age_s: dict[str, float] = {}
        self.is_whole = False

    def run(self) -> None:
        """Until `over`."""
        try:
            while not self.over.wait(EVERY_S):
                for name, root in self.roots.items():
                    for pid in (root, *children_of(root)):
                        self.memory_mb[f"{name} {pid}"].append(anonymous_mb(pid))
                self._ask_database()
            self.is_whole = True
        finally:
            connection.close()

    def _ask_database(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            self.connections.append(cursor.fetchone()[0] - 1)
            cursor.execute(AGES)
            for kind, age_s in cursor.fetchall():
                self.queue_age_s[kind] = max(self.queue_age_s.get(kind, 0.0), round(float(age_s), 1))

    def growth(self) -> dict[str, float]:
        """Memory at the end as a share of that after the first quarter, of each process that lived so long.

        Both are the highest of a tenth of the samples.
        """
        whole = {name: sizes for name, sizes in self.memory_mb.items() if len(sizes) >= len(self.connections) * 0.9}
        return {name: _growth(sizes) for name, sizes in whole.items() if len(sizes) >= SAMPLES_MIN}


def _growth(sizes: list[float]) -> float:
    quarter, tenth = len(sizes) // 4, len(sizes) // 10
    early, late = sizes[quarter - tenth : quarter], sizes[-tenth:]
    return round(max(late) / max(*early, 1.0), 2)


def children_of(pid: int) -> list[int]:
    """The IDs of its child processes, and of theirs."""
    found = []
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in path.read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


def anonymous_mb(pid: int) -> float:
    """Memory of its own, in MB; 0 where it ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1000
    return 0.0


def deadlocks() -> int:
    """Deadlocks of this database since its beginning."""
    time.sleep(1.5)  # the server reports its counts once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
