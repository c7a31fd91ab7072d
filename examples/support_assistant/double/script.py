"""What will be written as the answer to one request: events, each due with a token; or one document."""

import dataclasses
import enum
import functools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from examples.support_assistant.double.answers import Output
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.tokens import tokens_of

Document = dict[str, Any]
DONE = "[DONE]"
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
STREAM_TYPE, JSON_TYPE = "text/event-stream", "application/json"


class Ending(enum.Enum):
    """How an answer ends: as HTTP says, by closing the connection, or not at all."""

    COMPLETE = "complete"
    CLOSE = "close"
    HANG = "hang"


@dataclasses.dataclass(kw_only=True)
class Event:
    """One event, written once `after` tokens are there and `rest_s` more seconds went by.

    `role` is what kind of event it is: role, reasoning, content, refusal, tool_calls, finish, usage, done, body (of
    what is no stream), or other. `raw`, if any, is written as it stands, in the place of `data`.
    """

    after: int
    role: str
    data: Document = dataclasses.field(default_factory=dict)
    raw: str = ""
    rest_s: float = 0.0

    def encoded(self, end: str) -> bytes:
        """Return the bytes of the event, with lines that end in `end`."""
        if self.raw:
            return self.raw.encode("utf-8", "surrogateescape")
        if self.role == "body":
            return as_json(self.data).encode()
        return f"data: {DONE if self.role == 'done' else as_json(self.data)}{end}{end}".encode()


@dataclasses.dataclass(kw_only=True)
class Script:
    """An answer as a whole. Without `is_stream` its one event is the body, and its length is stated;
    a stream that is not chunked ends with the connection.

    A silent one writes nothing at all. A body that does not end as HTTP says is cut in its middle.
    """

    events: list[Event]
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    is_stream: bool = True
    is_chunked: bool = True
    is_silent: bool = False
    ending: Ending = Ending.COMPLETE
    end_of_line: str = "\n"
    events_per_write: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answered:
    """Everything that the events of one answer are made of."""

    id: str
    created: int
    model: str
    output: Output
    input_tokens: int
    cached_tokens: int
    counts_end: bool

    def usage(self, produced: int | None = None) -> Document:
        """Return the usage, of the whole answer or of the tokens produced until now."""
        is_ended = self.counts_end and self.output.finish != "length"
        count = self.output.total + is_ended if produced is None else produced
        reasoning = min(len(self.output.reasoning), count)
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": count,
            "total_tokens": self.input_tokens + count,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }

    def head(self, kind: str) -> Document:
        """Return what each document of the answer starts with."""
        fingerprint = {"system_fingerprint": f"fp_{self.model}"}
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, **fingerprint}

    def chunk(self, delta: Document | None, finish: str | None = None) -> Document:
        """Return one chunk; None stands for no choice at all."""
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        return {**self.head("chat.completion.chunk"), "choices": choices}


def as_json(document: Document) -> str:
    """Return JSON that keeps characters as they are, so that bytes of one can be apart."""
    return ENCODER.encode(document)


def document(status: int, body: Document, **headers: str) -> Script:
    """Return an answer at once, which is no stream."""
    event = Event(after=0, role="body", data=body)
    return Script(events=[event], status=status, headers={"Content-Type": JSON_TYPE, **headers}, is_stream=False)


def streamed(answered: Answered, law: Law, request: Mapping[str, Any], chance: random.Random) -> Script:
    """Return the events of a stream: role, chunks, finish, usage if asked for, `[DONE]`."""
    output, options = answered.output, request.get("stream_options")
    options = options if isinstance(options, dict) else {}
    has_usage, has_each = bool(options.get("include_usage")), bool(options.get("continuous_usage_stats"))
    events = []
    if law.role_first:
        events.append(Event(after=0, role="role", data=answered.chunk({"role": "assistant", "content": None})))
    done = 0
    for segment in _segments(output):
        for end, text in _cut(segment, chance, *law.tokens_per_chunk):
            events.append(Event(after=done + end, role=segment.role, data=answered.chunk(segment.delta(text))))
        done += len(segment.tokens)
    ended = max(1, output.total + (answered.counts_end and output.finish != "length"))
    events.append(Event(after=ended, role="finish", data=answered.chunk({}, output.finish)))
    if has_each:
        for event in events:
            event.data["usage"] = answered.usage(min(event.after, output.total))
    if has_usage:
        for event in () if has_each else events:
            event.data["usage"] = None
        events.append(Event(after=ended, role="usage", data={**answered.chunk(None), "usage": answered.usage()}))
    events.append(Event(after=ended, role="done"))
    headers = {"Content-Type": STREAM_TYPE, "Cache-Control": "no-cache"}
    return Script(events=events, headers=headers, events_per_write=law.events_per_write)


def at_once(answered: Answered) -> Script:
    """Return the whole answer as one document, due with the last token."""
    output = answered.output
    message: Document = {"role": "assistant", "content": None}
    if output.reasoning:
        message["reasoning_content"] = "".join(output.reasoning)
    if output.kind == "tool_calls":
        message["tool_calls"] = [_call(index, call) for index, call in enumerate(output.tool_calls)]
    else:
        message[output.kind] = "".join(output.tokens)
    choice = {"index": 0, "message": message, "finish_reason": output.finish}
    script = document(200, {**answered.head("chat.completion"), "choices": [choice], "usage": answered.usage()})
    script.events[0].after = max(1, output.total + (answered.counts_end and output.finish != "length"))
    return script


@dataclasses.dataclass(frozen=True)
class _Segment:
    """Tokens of which each chunk becomes a delta of one kind; `is_whole` ones come in one chunk."""

    role: str
    tokens: Sequence[str]
    delta: Callable[[str], Document]
    is_whole: bool = False


def _segments(output: Output) -> Iterator[_Segment]:
    yield _Segment("reasoning", output.reasoning, lambda text: {"reasoning_content": text})
    if output.kind != "tool_calls":
        yield _Segment(output.kind, output.tokens, lambda text: {output.kind: text})
        return
    start = 0
    for index, call in enumerate(output.tool_calls):
        for name, part in (("name", call["name"]), ("arguments", call["arguments"])):
            tokens = output.tokens[start : start + len(tokens_of(part))]
            start += len(tokens)
            whole = functools.partial(_call_delta, index, call)
            more = functools.partial(_arguments_delta, index)
            is_name = name == "name"
            yield _Segment("tool_calls", tokens, whole if is_name else more, is_whole=is_name)


def _cut(segment: _Segment, chance: random.Random, least: int, most: int) -> Iterator[tuple[int, str]]:
    """Yield the end and the text of each chunk. Tokens without a whole character are held back until it is there."""
    tokens, start = segment.tokens, 0
    while start < len(tokens):
        end = len(tokens) if segment.is_whole else min(start + chance.randint(least, most), len(tokens))
        while end < len(tokens) and not any(tokens[start:end]):
            end += 1
        yield end, "".join(tokens[start:end])
        start = end


def _call_delta(index: int, call: Mapping[str, str], name: str) -> Document:
    return {"tool_calls": [{**_call(index, call), "function": {"name": name, "arguments": ""}}]}


def _arguments_delta(index: int, text: str) -> Document:
    return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def _call(index: int, call: Mapping[str, str]) -> Document:
    return {"index": index, "id": f"call_{index}", "type": "function", "function": dict(call)}
