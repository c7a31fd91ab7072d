"""The servers that are fired at, each a process of its own: a model behind HTTP, and the stand-in for the managed API.

`POST /score` takes `{"features": [12 numbers]}`; `GET /timings` says how much processor time answers took. Both speak
HTTP/1.1 through httptools on uvloop, one process, one thread, no batching. Every answer of the stand-in says what it
is.
"""

import asyncio
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.fraud_api.settings import StandIn
from examples.fraud_api.transactions import FEATURES
from weighbridge.optimization.methods.networks import INPUT
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

Write = Callable[[int, dict[str, Any]], None]
Respond = Callable[[bytes, Write], None]
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}
NS_PER_S = 1e9


class Timings:
    """Processor time of each answer, in seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def as_document(self) -> dict[str, Any]:
        """Return the number, the mean, and the standard deviation over the mean; 0 where nothing was answered."""
        mean = statistics.fmean(self.seconds) if self.seconds else 0.0
        cv = statistics.pstdev(self.seconds, mean) / mean if mean else 0.0
        return {"answered": len(self.seconds), "mean_s": mean, "cv": cv}


class ServedConnection(asyncio.Protocol):
    """One connection: its requests are answered in turn."""

    def __init__(self, respond: Respond, timings: Timings) -> None:
        self._respond, self._timings = respond, timings
        self._transport: asyncio.WriteTransport | None = None
        self._parser: Any = None
        self._url, self._body, self._is_scored = b"", b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        import httptools

        self._transport = transport  # type: ignore[assignment]  # a server has a transport that is written to
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on; the parser calls back at every end of a request, and what that took is counted."""
        self._is_scored = False
        begun = time.thread_time_ns()
        self._parser.feed_data(data)
        if self._is_scored:
            self._timings.seconds.append((time.thread_time_ns() - begun) / NS_PER_S)

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._url, self._body = b"", b""

    def on_url(self, url: bytes) -> None:
        """Note the path."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """Note the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        if self._url == b"/timings":
            self._write(200, self._timings.as_document())
        elif self._url == b"/score":
            self._is_scored = True
            self._respond(self._body, self._write)
        else:
            self._write(404, {"error": "There are /score and /timings here."})

    def _write(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json"
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def features_in(body: bytes) -> list[float]:
    """Return the features of a request; raise ValueError for anything else."""
    found = json.loads(body)["features"]
    if len(found) != FEATURES:
        raise ValueError
    return [float(value) for value in found]


def model_responder(model: Path) -> Respond:
    """Answer with the score of an ONNX model, one row at a time on one thread."""
    import numpy as np

    runner = OnnxRuntimeRunner(model, threads=1)

    def respond(body: bytes, write: Write) -> None:
        try:
            x = np.array([features_in(body)], dtype=np.float32)
        except (ValueError, KeyError, TypeError):
            write(400, {"error": f"Send features: a list of {FEATURES} numbers."})
            return
        write(200, {"score": float(runner.infer({INPUT: x})[0][0, 0])})

    return respond


def stand_in_responder(law: StandIn, *, later: Callable[..., Any], clock: Callable[[], float]) -> Respond:
    """Answer as the law says; `later(seconds, call, ...)` calls back, `clock()` gives seconds."""
    chance = random.Random(law.seed)  # noqa: S311 -- a simulation, no secret
    mu, hand, last = math.log(law.median_ms / 1e3), law.limit_per_s, clock()

    def respond(_body: bytes, write: Write) -> None:
        nonlocal hand, last
        now = clock()
        hand, last = min(law.limit_per_s, hand + (now - last) * law.limit_per_s), now
        if hand < 1:
            write(429, {"stand_in": True, "error": "rate limit"})
            return
        hand -= 1
        seconds = chance.lognormvariate(mu, law.sigma)
        answer = {"stand_in": True, "score": chance.gauss(-4.0, 2.0)}
        status = 503 if chance.random() < law.error_rate else 200
        later(seconds, write, status, answer if status == 200 else {"stand_in": True, "error": "unavailable"})

    return respond


async def serve(kind: str, given: str) -> None:
    """Serve on a free port of this machine, which is the first line of standard output, until the process is ended."""
    loop, timings = asyncio.get_running_loop(), Timings()
    if kind == "model":
        respond = model_responder(Path(given))
    else:
        respond = stand_in_responder(StandIn(**json.loads(given)), later=loop.call_later, clock=time.monotonic)
    server = await loop.create_server(lambda: ServedConnection(respond, timings), "127.0.0.1", 0, backlog=1_024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Run as `python -m … model FILE` or `python -m … stand-in LAW`."""
    import uvloop

    uvloop.run(serve(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
