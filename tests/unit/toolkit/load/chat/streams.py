"""Streams of a chat completion, and samples of such streams, for tests."""

import json
from typing import Any

import numpy as np

from weighbridge.load.chat.answer_stream import AnswerStream, StreamEnd
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome

MS = 1_000_000


def event(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None and finish is None else [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return f"data: {json.dumps({'choices': choices, **more})}\n\n".encode()


def usage(prompt=12, completion=3, cached=None, reasoning=None) -> dict[str, Any]:
    counts: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if cached is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return counts


DONE = b"data: [DONE]\n\n"
SOUND = (
    event({"role": "assistant", "content": None}),
    event({"content": "Hel"}),
    event({"content": "lo"}),
    event(finish="stop"),
    event(usage=usage(cached=4, reasoning=0)),
    DONE,
)


def streamed(*chunks: bytes, step_ms: int = 10) -> AnswerStream:
    """Return the stream of chunks that arrive one each `step_ms`, the first at one step."""
    stream = AnswerStream()
    for number, chunk in enumerate(chunks, 1):
        stream.feed(chunk, number * step_ms * MS)
    stream.end((len(chunks) + 1) * step_ms * MS)
    return stream


def load_samples(due_ms, done_ms, *, sent_ms=None, outcome=RequestOutcome.CHECKED) -> LoadSamples:
    """Samples of requests that were due and done then; sent when due, by default."""
    due, done = (np.asarray(each, dtype=np.float64) * MS for each in (due_ms, done_ms))
    sent = due if sent_ms is None else np.asarray(sent_ms, dtype=np.float64) * MS
    outcomes = np.broadcast_to(np.asarray(outcome, dtype=np.uint8), due.shape).copy()
    return LoadSamples(due.astype(int), due.astype(int), sent.astype(int), done.astype(int), outcomes)


def chat_samples(n: int, **arrays: Any) -> ChatSamples:
    """Samples of `n` answers of one token each, changed by `arrays` (times in ms)."""
    empty = {
        "prompt": np.arange(n),
        **{name: np.full(n, NEVER) for name in ("headers_ns", "first_ns", "first_answer_ns", "finish_ns")},
        **{name: np.full(n, 1) for name in ("input_tokens", "output_tokens", "chunks")},
        **{name: np.zeros(n, dtype=int) for name in ("cached_tokens", "reasoning_tokens", "coalesced")},
        "first_tokens": np.full(n, NEVER),
        "finish": np.full(n, int(StreamEnd.STOP)),
        "is_refused": np.zeros(n, dtype=bool),
        "is_blank_first": np.zeros(n, dtype=bool),
        "largest_gap_ns": np.full(n, NEVER),
        "gaps_ns": np.zeros(0, dtype=int),
        "gap_ends": np.zeros(n, dtype=int),
    }
    given: dict[str, Any] = {}
    for name, value in arrays.items():
        if name.endswith("_ms"):
            given[f"{name.removesuffix('_ms')}_ns"] = (np.asarray(value, dtype=np.float64) * MS).astype(int)
        else:
            is_whole = isinstance(value, tuple) or name == "gaps_ns"
            given[name] = value if is_whole else np.broadcast_to(np.asarray(value), (n,)).copy()
    return ChatSamples(**{**empty, **given})
