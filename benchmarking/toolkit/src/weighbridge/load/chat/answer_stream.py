"""One streamed answer: its moments, text, tokens and faults, from the events of an OpenAI-compatible server.

The moment of a token is the read of the socket that brought it. The first token is the first part of text, reasoning,
refusal or a tool call that is not empty: neither the headers nor an event that only names the role.
"""

from array import array
from collections.abc import Mapping
from enum import IntEnum
from itertools import pairwise
from typing import Any

from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.load.chat.events import EventParser
from weighbridge.load.results.samples import NEVER, RequestOutcome

UNKNOWN = -1
DONE = b"[DONE]"
SHOWN_BYTES = 4_096
MOST_TOKENS = 100_000_000
TOO_LONG = ("exceed_context_size", "context_length_exceeded", "context length", "context window", "maximum context")
BUSY_STATUSES, TOO_LONG_STATUSES = (429, 503), (400, 413, 422)


class StreamEnd(IntEnum):
    """Why an answer ended, as the server states it; NONE if it did not state it."""

    NONE = 0
    STOP = 1
    LENGTH = 2
    TOOL_CALLS = 3
    CONTENT_FILTER = 4
    OTHER = 5


FINISHES: Mapping[str, StreamEnd] = {
    "stop": StreamEnd.STOP,
    "length": StreamEnd.LENGTH,
    "tool_calls": StreamEnd.TOOL_CALLS,
    "function_call": StreamEnd.TOOL_CALLS,
    "content_filter": StreamEnd.CONTENT_FILTER,
}


class AnswerStream:
    """Reads one answer. Times are those of the clock of the engine; NEVER (-1) if they did not happen.

    `headers_ns` is the first byte, `first_ns` the first token, `first_answer_ns` the first that is no reasoning,
    `finish_ns` the event with the reason of the end; `chunk_ns` has every event with a part of the answer, of which
    `coalesced` came in one read with the one before. `close` counts them as `chunks`, and finds the `largest_gap_ns`
    between two. `usage` is that of the server, None if it sent none;
    `first_tokens` are the tokens of the first part if the server counts them there, else -1.
    """

    __slots__ = (
        "_failure",
        "_parser",
        "_shown",
        "_tools",
        "choices",
        "chunk_ns",
        "chunks",
        "coalesced",
        "events",
        "fingerprints",
        "finish",
        "finish_ns",
        "first_answer_ns",
        "first_ns",
        "first_text",
        "first_tokens",
        "headers_ns",
        "is_done",
        "largest_gap_ns",
        "reasoning",
        "refusal",
        "text",
        "usage",
    )

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._parser, self._shown, self._tools = EventParser(), b"", dict[int, dict[str, str]]()
        self._failure: tuple[RequestOutcome, str] | None = None
        self.headers_ns = self.first_ns = self.first_answer_ns = self.finish_ns = NEVER
        self.chunk_ns, self.coalesced, self.events, self.choices = array("q"), 0, 0, 0
        self.chunks, self.largest_gap_ns = 0, NEVER
        self.text, self.reasoning, self.refusal = list[str](), list[str](), list[str]()
        self.first_text, self.first_tokens, self.finish, self.is_done = "", UNKNOWN, StreamEnd.NONE, False
        self.usage: dict[str, int] | None = None
        self.fingerprints = set[str]()

    def feed(self, chunk: bytes, now_ns: int) -> None:
        """Read a part of the body that arrived at `now_ns`."""
        if len(self._shown) < SHOWN_BYTES:
            self._shown += chunk[:SHOWN_BYTES]
        try:
            for data in self._parser.feed(chunk):
                self._read(data, now_ns)
        except Invalid as refused:
            self._fail(RequestOutcome.GARBAGE, refused.reason)

    def end(self, now_ns: int) -> None:
        """Read what the end of the body completes."""
        for data in self._parser.end():
            self._read(data, now_ns)

    def close(self, *, keeps_text: bool, keeps_chunks: bool) -> None:
        """Free the memory of what is not kept."""
        self.chunks = len(self.chunk_ns)
        self.largest_gap_ns = max((later - earlier for earlier, later in pairwise(self.chunk_ns)), default=NEVER)
        if not keeps_text:
            self.text, self.reasoning = [], []
        if not keeps_chunks:
            self.chunk_ns = array("q")

    def outcome(self, status: int) -> tuple[RequestOutcome, str, bytes]:
        """Return the outcome of a whole answer, what is wrong, and the start of the answer that shows it."""
        if not 200 <= status <= 299:
            return self._of_status(status)
        if self._failure is not None:
            return *self._failure, b""
        if not self.events:
            return RequestOutcome.NOT_STREAMED, "the answer is not a stream of events", self._shown
        if not self.choices:
            return RequestOutcome.NOT_STREAMED, "its events are not those of a chat completion (choices)", self._shown
        if self.finish is StreamEnd.NONE:
            return RequestOutcome.CUT_SHORT, "the stream ended without a finish_reason", b""
        if self.first_ns == NEVER and self.finish is not StreamEnd.CONTENT_FILTER:
            return RequestOutcome.EMPTY, "the answer has no text, no reasoning and no tool call", b""
        return RequestOutcome.CHECKED, "", b""

    def tool_calls(self) -> list[dict[str, str]]:
        """Return the calls of tools, each with its name and its arguments as they came."""
        return [self._tools[index] for index in sorted(self._tools)]

    def _of_status(self, status: int) -> tuple[RequestOutcome, str, bytes]:
        words = self._shown.decode(errors="replace").lower()
        if status in BUSY_STATUSES:
            return RequestOutcome.BUSY, f"the server refused the request with status {status}", self._shown
        if status in TOO_LONG_STATUSES and any(each in words for each in TOO_LONG):
            return RequestOutcome.CONTEXT_TOO_LONG, "the prompt is longer than the context of the model", self._shown
        return RequestOutcome.WRONG_STATUS, f"the answer had status {status}", self._shown

    def _fail(self, outcome: RequestOutcome, why: str) -> None:
        self._failure = self._failure or (outcome, why)

    def _read(self, data: bytes, now_ns: int) -> None:
        self.events += 1
        if data == DONE:
            if self.is_done:
                self._fail(RequestOutcome.REPEATED, "the stream ended twice")
            self.is_done = True
            return
        try:
            # A server may divide a character of two escapes between two events.
            event = parse_json(data, limits=MEASUREMENT, is_cleaning=True)
        except Refused:
            self._fail(RequestOutcome.GARBAGE, "an event of the stream is not JSON")
            return
        if not isinstance(event, dict):
            self._fail(RequestOutcome.GARBAGE, "an event of the stream is not an object")
        elif event.get("error"):
            self._fail(RequestOutcome.STREAM_ERROR, f"the stream has an error: {_error_words(event['error'])}")
        else:
            self._read_event(event, now_ns)

    def _read_event(self, event: Mapping[str, Any], now_ns: int) -> None:
        named = [str(event[key])[:200] for key in ("model", "system_fingerprint") if event.get(key)]
        if named:
            self.fingerprints.add(" ".join(named))
        usage = event.get("usage")
        counts = _counts(usage) if isinstance(usage, dict) else None
        self.usage = counts or self.usage
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        self.choices += isinstance(choice, dict)
        if not isinstance(choice, dict) or choice.get("index", 0) != 0:
            return
        delta, is_first = choice.get("delta"), self.first_ns == NEVER
        if isinstance(delta, dict):
            self._read_delta(delta, now_ns)
        if counts and is_first and self.first_ns != NEVER:
            self.first_tokens = counts["output_tokens"]
        if reason := choice.get("finish_reason"):
            if self.finish is not StreamEnd.NONE:
                self._fail(RequestOutcome.REPEATED, "the stream has a second finish_reason")
            self.finish, self.finish_ns = FINISHES.get(str(reason), StreamEnd.OTHER), now_ns

    def _read_delta(self, delta: Mapping[str, Any], now_ns: int) -> None:
        content = _text(delta, "content")
        thoughts = _text(delta, "reasoning_content") or _text(delta, "reasoning")
        refusal, tools = _text(delta, "refusal"), self._read_tools(delta.get("tool_calls"))
        if not (content or thoughts or tools or refusal):
            return
        if self.finish is not StreamEnd.NONE:
            self._fail(RequestOutcome.REPEATED, "the stream goes on after its finish_reason")
        if self.first_ns == NEVER:
            self.first_ns, self.first_text = now_ns, thoughts + content + refusal + tools
        if (content or tools or refusal) and self.first_answer_ns == NEVER:
            self.first_answer_ns = now_ns
        self.coalesced += bool(self.chunk_ns) and self.chunk_ns[-1] == now_ns
        self.chunk_ns.append(now_ns)
        self.text.append(content)
        self.reasoning.append(thoughts)
        if refusal:
            self.refusal.append(refusal)

    def _read_tools(self, calls: object) -> str:
        """Add the parts of calls of tools, and return their text."""
        new = ""
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict):
                continue
            place = call.get("index", 0)
            whole = self._tools.setdefault(place if isinstance(place, int) else 0, {"name": "", "arguments": ""})
            for key in whole:
                part = _text(function, key)
                whole[key] += part
                new += part
        return new


def _text(delta: Mapping[str, Any], key: str) -> str:
    value = delta.get(key)
    return value if isinstance(value, str) else ""


def _counts(usage: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the tokens of a request, -1 where unknown; None if the whole counts are not there.

    A part that is larger than its whole is unknown.
    """
    prompt, completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    counts = {
        "input_tokens": _count(usage, "prompt_tokens"),
        "cached_tokens": _count(prompt, "cached_tokens"),
        "output_tokens": _count(usage, "completion_tokens"),
        "reasoning_tokens": _count(completion, "reasoning_tokens"),
    }
    for part, whole in (("cached_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
        counts[part] = counts[part] if counts[part] <= counts[whole] else UNKNOWN
    return counts if counts["input_tokens"] != UNKNOWN and counts["output_tokens"] != UNKNOWN else None


def _count(where: object, key: str) -> int:
    value = where.get(key) if isinstance(where, Mapping) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if is_count and isinstance(value, int) else UNKNOWN


def _error_words(error: object) -> str:
    text = error.get("message") if isinstance(error, Mapping) else error
    return str(text)[:200]
