"""Every kind of bad behavior of a server, by name. A request asks for one with `[[double NAME]]` in its last question.

A behavior is a function of the script of a sound answer: it edits the events, or gives another script in its place.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from examples.support_assistant.double.law import Law
from examples.support_assistant.double.script import DONE, Document, Ending, Event, Script, as_json, document

Behavior = Callable[[Script, Law], Script]
MARK = re.compile(r"\[\[double ([a-z0-9_]+)\]\]")
GIANT_BYTES = 1 << 20


def asked_behavior(question: str) -> str:
    """Return the name of the behavior that a question asks for, or nothing."""
    found = MARK.search(question)
    return found[1] if found else ""


def error(status: int, message: str, code: str, kind: str, **more: Any) -> Document:
    """Return the body of an error; `code` is a number where the server is llama.cpp, and a word at OpenAI."""
    return {"error": {"code": status if kind == "llama" else code, "message": message, "type": code, **more}}


def too_long(input_tokens: int, context_tokens: int) -> Script:
    """Refuse a prompt as llama.cpp does."""
    message = (
        f"request ({input_tokens} tokens) exceeds the available context size ({context_tokens} tokens), "
        "try increasing it"
    )
    more = {"n_prompt_tokens": input_tokens, "n_ctx": context_tokens}
    return document(400, error(400, message, "exceed_context_size_error", "llama", **more))


def _openai_too_long(_: Script, law: Law) -> Script:
    message = f"This model's maximum context length is {law.context_tokens} tokens."
    body = {"message": message, "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    return document(400, {"error": body})


def _busy(_: Script, __: Law) -> Script:
    return document(429, error(429, "Rate limit reached.", "rate_limit_exceeded", "openai"))


def _busy_retry_after(_: Script, law: Law) -> Script:
    body = error(429, "Rate limit reached.", "rate_limit_exceeded", "openai")
    return document(429, body, **{"Retry-After": str(law.retry_after_s)})


def _unavailable(_: Script, __: Law) -> Script:
    return document(503, error(503, "Loading model", "unavailable_error", "llama"))


def _unauthorized(_: Script, __: Law) -> Script:
    return document(401, error(401, "Incorrect API key provided.", "invalid_api_key", "openai"))


def _html(_: Script, __: Law) -> Script:
    page = Event(after=0, role="other", raw="<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>\n")
    return Script(events=[page], headers={"Content-Type": "text/html; charset=utf-8"}, is_stream=False)


def _no_usage(script: Script, law: Law) -> Script:
    for event in script.events:
        event.data.pop("usage", None)
    return _without("usage")(script, law)


def _without(*roles: str) -> Behavior:
    return lambda script, _: _edited(script, [event for event in script.events if event.role not in roles])


def _half(script: Script) -> list[Event]:
    """The events up to the middle of a stream. What is no stream has one event, of which the writer takes half."""
    if not script.is_stream:
        return script.events
    shown = [event for event in script.events if event.role not in ("finish", "usage", "done")]
    return shown[: len(shown) // 2 + 1]


def _stall(script: Script, _: Law) -> Script:
    return _edited(script, _half(script), ending=Ending.HANG)


def _never(script: Script, _: Law) -> Script:
    return _edited(script, [], ending=Ending.HANG, is_silent=True)


def _close_early(script: Script, _: Law) -> Script:
    return _edited(script, _half(script), ending=Ending.CLOSE)


def _close_at_once(script: Script, _: Law) -> Script:
    return _edited(script, [], ending=Ending.CLOSE, is_silent=True)


def _pause(script: Script, law: Law) -> Script:
    middle = len(_half(script))
    if middle < len(script.events):
        script.events[middle] = dataclasses.replace(script.events[middle], rest_s=law.pause_s)
    return script


def _repeat(script: Script, _: Law) -> Script:
    twice = [[event, event] if event.role in ("content", "usage") else [event] for event in script.events]
    return _edited(script, [event for pair in twice for event in pair])


def _error_event(script: Script, _: Law) -> Script:
    data = error(500, "The model failed.", "server_error", "llama")
    shown = _half(script)
    failed = Event(after=shown[-1].after if shown else 0, role="other", data=data)
    return _edited(script, [*shown, failed])


def _ended_by(reason: str) -> Behavior:
    def change(script: Script, _: Law) -> Script:
        for event in script.events:
            if event.role in ("finish", "body"):
                event.data["choices"][0]["finish_reason"] = reason
        return script

    return change


def _change_model(script: Script, _: Law) -> Script:
    for event in script.events[len(_half(script)) :] if script.is_stream else script.events:
        if event.data:
            event.data |= {"model": "another-2026-10-01", "system_fingerprint": "fp_another"}
    return script


def _one_chunk(script: Script, _: Law) -> Script:
    """All content in one event, due with the last token."""
    texts, rest = [], []
    for event in script.events:
        if event.role == "content":
            texts.append(event)
        else:
            rest.append(event)
    if not texts:
        return script
    last = texts[-1]
    choice = last.data["choices"][0]
    choice["delta"] = {"content": "".join(event.data["choices"][0]["delta"]["content"] for event in texts)}
    return _edited(
        script,
        [
            *(event for event in rest if event.after < last.after),
            last,
            *(event for event in rest if event.after >= last.after),
        ],
    )


def _comments(script: Script, _: Law) -> Script:
    alive = [
        Event(after=event.after, role="other", raw=": keep-alive\n\n: \nevent: message\nid: 7\nretry: 10\n")
        for event in script.events
    ]
    return _edited(script, [each for pair in zip(alive, script.events, strict=True) for each in pair])


def _crlf(script: Script, _: Law) -> Script:
    script.end_of_line = "\r\n"
    return script


def _wrong_type(script: Script, _: Law) -> Script:
    script.headers["Content-Type"] = "text/plain"
    return script


def _giant_line(script: Script, _: Law) -> Script:
    """A comment line and an event of a megabyte each."""
    comment = Event(after=0, role="other", raw=f": {'x' * GIANT_BYTES}\n\n")
    for event in script.events:
        if event.role == "content":
            event.data["padding"] = "é" * (GIANT_BYTES // 2)
            break
    return _edited(script, [comment, *script.events])


def _bad_json(script: Script, _: Law) -> Script:
    shown = _half(script)
    return _edited(
        script, [*shown, Event(after=shown[-1].after if shown else 0, role="other", raw='data: {"choices": [\n\n')]
    )


def _bad_utf8(script: Script, _: Law) -> Script:
    for event in script.events:
        if event.role == "content":
            event.data["choices"][0]["delta"]["content"] = "@@"
            event.raw = f"data: {as_json(event.data)}\n\n".replace("@@", "\udcff\udcfe")
            break
    return script


def _empty(script: Script, _: Law) -> Script:
    return _edited(script, [event for event in script.events if event.role in ("role", "finish", "done")])


def _split_lines(script: Script, _: Law) -> Script:
    """Two `data:` lines in one event, which the standard joins by a line feed."""
    for event in script.events:
        if event.data:
            head, _comma, rest = as_json(event.data).partition(",")
            event.raw = f"data: {head},\ndata: {rest}\n\n"
    return script


def _no_last_blank(script: Script, _: Law) -> Script:
    """The answer ends right behind the last event, without its blank line."""
    if script.events[-1].role == "done":
        script.events[-1].raw = f"data: {DONE}"
    return script


def _until_close(script: Script, _: Law) -> Script:
    """The body has no length and no chunks: it ends with the connection."""
    script.is_chunked = False
    return _edited(script, script.events, ending=Ending.CLOSE)


def _edited(
    script: Script, events: list[Event], *, ending: Ending = Ending.COMPLETE, is_silent: bool = False
) -> Script:
    script.events, script.ending, script.is_silent = events, ending, is_silent
    return script


BEHAVIORS: dict[str, Behavior] = {
    "no_usage": _no_usage,
    "no_done": _without("done"),
    "no_finish": _without("finish"),
    "stall": _stall,
    "pause": _pause,
    "never": _never,
    "repeat": _repeat,
    "close_early": _close_early,
    "close_at_once": _close_at_once,
    "html": _html,
    "busy": _busy,
    "busy_retry_after": _busy_retry_after,
    "unavailable": _unavailable,
    "unauthorized": _unauthorized,
    "too_long": lambda _, law: too_long(law.context_tokens + 1, law.context_tokens),
    "too_long_openai": _openai_too_long,
    "error_event": _error_event,
    "bad_json": _bad_json,
    "bad_utf8": _bad_utf8,
    "length": _ended_by("length"),
    "content_filter": _ended_by("content_filter"),
    "change_model": _change_model,
    "one_chunk": _one_chunk,
    "comments": _comments,
    "crlf": _crlf,
    "wrong_type": _wrong_type,
    "giant_line": _giant_line,
    "split_lines": _split_lines,
    "no_last_blank": _no_last_blank,
    "until_close": _until_close,
    "empty": _empty,
}
OF_STREAMS = (
    "no_done",
    "no_finish",
    "pause",
    "repeat",
    "error_event",
    "bad_json",
    "bad_utf8",
    "one_chunk",
    "comments",
    "crlf",
    "giant_line",
    "split_lines",
    "no_last_blank",
    "until_close",
    "empty",
)


def behave(name: str, script: Script, law: Law) -> Script:
    """Return the script of an answer that behaves so; what only streams can do leaves others as they are."""
    if name not in BEHAVIORS or (name in OF_STREAMS and not script.is_stream):
        return script
    return BEHAVIORS[name](script, law)
