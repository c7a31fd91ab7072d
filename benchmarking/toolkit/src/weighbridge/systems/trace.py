"""Operator timings from the profiler of ONNX Runtime, read through a pipe.

The profiler writes a file whose name is a prefix and the time. The sandbox forbids creating files, so the prefix is the
path of a pipe followed by a zero byte, which cuts off the appended time.
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

MAX_BYTES = 64 << 20
# An event has about 1,000 bytes, more with long names.
BYTES_OF_EVENT = 4_000
MAX_RUNS = 50
SLOWEST = 10
NODE_SUFFIX = "_kernel_time"


class PipeReader(threading.Thread):
    """Reads a pipe to its end in one C library call, because the profiler holds the GIL while it writes."""

    def __init__(self, descriptor: int) -> None:
        """Read from the read end of a pipe."""
        super().__init__(daemon=True)
        self._library = ctypes.CDLL(None)
        self._library.fdopen.restype = ctypes.c_void_p
        self._library.fread.restype = ctypes.c_size_t
        self._stream = ctypes.c_void_p(self._library.fdopen(descriptor, b"rb"))
        self._buffer = ctypes.create_string_buffer(MAX_BYTES)
        self._length = 0

    def run(self) -> None:
        """Read the whole pipe."""
        size = ctypes.c_size_t(MAX_BYTES)
        self._length = self._library.fread(self._buffer, ctypes.c_size_t(1), size, self._stream)
        self._library.fclose(self._stream)

    def text(self) -> bytes:
        """Return the content after the other end is closed."""
        self.join()
        return self._buffer.raw[: self._length]


def trace(
    path: Path, feeds: Sequence[Feed], *, threads: int, settings: RuntimeSettings = ON_CPU, nodes: int
) -> list[dict[str, Any]]:
    """Return the profiler's events of 2 to 50 runs of a model with `nodes` nodes; raise Invalid if it cannot load."""
    runs = max(2, min(MAX_RUNS, MAX_BYTES // (BYTES_OF_EVENT * max(nodes, 1))))
    read_end, write_end = os.pipe()
    reader = PipeReader(read_end)
    reader.start()
    try:
        options = session_options(threads, settings)
        options.enable_profiling = True
        options.profile_file_prefix = f"/proc/self/fd/{write_end}\0"
        session = open_session(path, options, settings)
        for run in range(runs):
            session.run(None, feeds[run % len(feeds)])
        session.end_profiling()
    finally:
        os.close(write_end)
    text = reader.text()
    events: list[dict[str, Any]] = json.loads(text) if text else []
    return events


def operators_of(events: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the time by type of operator, and the slowest nodes; None without nodes.

    The first run is a warm-up and omitted. The time of a node (ms) is the median over the other `runs` of all its calls
    in a run; the time of a type is the sum over its nodes; `share` is the share of the total.
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
        "by_operator": [{"operator": kind, **_spent(ms, total_ms)} for kind, ms in _descending(by_type)],
        "slowest": [
            {"node": name, "operator": kind, **_spent(ms, total_ms)}
            for (name, kind), ms in _descending(by_node)[:SLOWEST]
        ],
    }


def _descending(spent: Mapping[Any, float]) -> list[tuple[Any, float]]:
    return sorted(spent.items(), key=lambda item: (-item[1], item[0]))


def _spent(ms: float, total_ms: float) -> dict[str, float]:
    return {"ms": ms, "share": ms / total_ms if total_ms else 0.0}
