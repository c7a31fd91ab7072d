"""The trace of ONNX Runtime's own profiler, heard through a pipe, and what it says of operators.

The profiler writes a file whose name it makes of a prefix and the time. Behind the fence no file can be made, so the
prefix is a pipe of this process's and ends with a zero byte: whatever is appended is then no part of the path.
"""

import bisect
import ctypes
import json
import os
import statistics
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import RuntimeSettings
from weighbridge.systems.onnx_runtime import ON_CPU, open_session, session_options

MOST_BYTES = 64 << 20
# An event tells shapes, memory and threads: about 1,000 bytes, with long names more.
BYTES_OF_EVENT = 4_000
MOST_RUNS = 50
SLOWEST = 10
NODE_SUFFIX = "_kernel_time"


class Ear(threading.Thread):
    """Reads a pipe to its end in a single call of the C library: the profiler holds Python's lock while it writes."""

    def __init__(self, descriptor: int) -> None:
        """Listen at the reading end of a pipe."""
        super().__init__(daemon=True)
        self._library = ctypes.CDLL(None)
        self._library.fdopen.restype = ctypes.c_void_p
        self._library.fread.restype = ctypes.c_size_t
        self._stream = ctypes.c_void_p(self._library.fdopen(descriptor, b"rb"))
        self._buffer = ctypes.create_string_buffer(MOST_BYTES)
        self._heard = 0

    def run(self) -> None:
        """Hear everything."""
        size = ctypes.c_size_t(MOST_BYTES)
        self._heard = self._library.fread(self._buffer, ctypes.c_size_t(1), size, self._stream)
        self._library.fclose(self._stream)

    def text(self) -> bytes:
        """Return what was heard, once the other end is closed."""
        self.join()
        return self._buffer.raw[: self._heard]


def trace(
    path: Path, feeds: Sequence[Feed], *, threads: int, settings: RuntimeSettings = ON_CPU, nodes: int
) -> list[dict[str, Any]]:
    """Run a model of so many nodes up to 50 times under ONNX Runtime's profiler and return its events.

    Raises Invalid when it cannot be loaded, and what the engine raises when it runs.
    """
    runs = max(2, min(MOST_RUNS, MOST_BYTES // (BYTES_OF_EVENT * max(nodes, 1))))
    reading, writing = os.pipe()
    ear = Ear(reading)
    ear.start()
    try:
        options = session_options(threads, settings)
        options.enable_profiling = True
        options.profile_file_prefix = f"/proc/self/fd/{writing}\0"
        session = open_session(path, options, settings)
        for run in range(runs):
            session.run(None, feeds[run % len(feeds)])
        session.end_profiling()
    finally:
        os.close(writing)
    text = ear.text()
    events: list[dict[str, Any]] = json.loads(text) if text else []
    return events


def operators_of(events: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return where the time of an inference goes: by type of operator, and the slowest nodes; None without any node.

    The first run warms up and is left out. Milliseconds of a node are the median over the other `runs` of all its calls
    in a run, those of a type the sum over its nodes; `share` is of the sum over all.
    """
    starts = sorted(
        event["ts"] for event in events if event.get("cat") == "Session" and event.get("name") == "model_run"
    )
    spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * len(starts))
    for event in events:
        name = str(event.get("name", ""))
        run = bisect.bisect_right(starts, event.get("ts", -1)) - 1
        if event.get("cat") == "Node" and name.endswith(NODE_SUFFIX) and run >= 1:
            spent[name.removesuffix(NODE_SUFFIX), str(event["args"]["op_name"])][run] += event["dur"] / 1_000
    by_node = {node: statistics.median(times[1:]) for node, times in spent.items()}
    if not by_node:
        return None
    by_type: dict[str, float] = defaultdict(float)
    for (_, kind), ms in by_node.items():
        by_type[kind] += ms
    total_ms = sum(by_type.values())
    return {
        "runs": len(starts) - 1,
        "total_ms": total_ms,
        "by_operator": [{"operator": kind, **_spent(ms, total_ms)} for kind, ms in _falling(by_type)],
        "slowest": [
            {"node": name, "operator": kind, **_spent(ms, total_ms)} for (name, kind), ms in _falling(by_node)[:SLOWEST]
        ],
    }


def _falling(spent: Mapping[Any, float]) -> list[tuple[Any, float]]:
    return sorted(spent.items(), key=lambda item: (-item[1], item[0]))


def _spent(ms: float, total_ms: float) -> dict[str, float]:
    return {"ms": ms, "share": ms / total_ms if total_ms else 0.0}
