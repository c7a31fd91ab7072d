"""The server: reads requests, makes scripts, and gives them to writers at the pace of the law."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from examples.support_assistant.double.answers import (
    AnswerFunction,
    Reply,
    called_tool,
    drawn_words,
    last_question,
    output_of,
)
from examples.support_assistant.double.behaviors import BEHAVIORS, asked_behavior, behave, error, too_long
from examples.support_assistant.double.http import Request
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.pace import Pace, StatedPace
from examples.support_assistant.double.records import Record, Records
from examples.support_assistant.double.script import Answered, Script, at_once, document, streamed
from examples.support_assistant.double.tokens import PrefixCache, prompt_of, token_ids, tokens_of
from weighbridge.core.errors import Invalid

CHAT = "/v1/chat/completions"
REPLIES: dict[str, Callable[[Mapping[str, Any]], Reply]] = {
    "refusal": lambda _: Reply(refusal="I cannot help with that."),
    "tool_calls": called_tool,
    "reasoning": lambda asked: Reply(reasoning=" Let me look this up.", text=drawn_words(asked)),
}
MakePace = Callable[[Law, asyncio.AbstractEventLoop], Pace]


class Double:
    """The state of one server. `answer` gives the text of each answer, `make_pace` its times."""

    def __init__(self, law: Law, *, answer: AnswerFunction = drawn_words, make_pace: MakePace = StatedPace) -> None:
        if law.behavior and law.behavior not in BEHAVIORS and law.behavior not in REPLIES:
            known = ", ".join(sorted({*BEHAVIORS, *REPLIES}))
            raise Invalid(f"No behavior is called {law.behavior}. There are: {known}.", field="behavior")
        self.law, self.records = law, Records()
        self._answer, self._loop = answer, asyncio.get_running_loop()
        self.pace = make_pace(law, self._loop)
        self._cache = PrefixCache(law.cache_block)

    def freeze(self, after_s: float, for_s: float) -> None:
        """Read and write nothing for `for_s` seconds, `after_s` from now; the times of tokens do not change."""
        self._loop.call_later(after_s, self._sleep, for_s)

    def _sleep(self, seconds: float) -> None:
        start = self._loop.time()
        time.sleep(seconds)  # the whole server, as if its process were stopped
        self.records.freeze(start, self._loop.time())

    def chat(self, body: bytes, arrived_s: float) -> tuple[Script, Record]:
        """Return what is answered to a request for a chat completion that was read at `arrived_s`."""
        self.records.count += 1
        number = self.records.count
        if number == 1 and self.law.freeze is not None:
            self.freeze(*self.law.freeze)
        key = f"chatcmpl-double-{number}"
        try:
            asked = _asked(body)
        except Invalid as refused:
            record = Record(id=key, behavior="", status=400, arrived_s=arrived_s)
            return self._kept(document(400, error(400, refused.reason, "invalid_request_error", "openai")), record)
        behavior = asked_behavior(last_question(asked))
        if behavior not in BEHAVIORS and behavior not in REPLIES:
            behavior = self.law.behavior if number % self.law.every == 0 else ""
        tokens = tokens_of(prompt_of(asked["messages"]))
        cached = 0 if asked.get("cache_prompt") is False else self._cache.cached_tokens(tokens)
        record = Record(
            id=key,
            behavior=behavior,
            status=200,
            arrived_s=arrived_s,
            input_tokens=len(tokens),
            cached_tokens=cached,
        )
        if len(tokens) >= self.law.context_tokens:
            return self._kept(too_long(len(tokens), self.law.context_tokens), record)
        script = self._script(asked, record)
        return self._kept(behave(behavior, script, self.law), record)

    def _script(self, asked: Mapping[str, Any], record: Record) -> Script:
        law = self.law
        found = REPLIES.get(record.behavior, self._answer)(asked)
        reply = Reply(text=found) if isinstance(found, str) else found
        output = output_of(asked, reply, law, record.id)
        answered = Answered(
            id=record.id,
            created=int(time.time()),
            model=law.model,
            output=output,
            input_tokens=record.input_tokens,
            cached_tokens=record.cached_tokens,
            counts_end=law.counts_end,
        )
        record.output_tokens = answered.usage()["completion_tokens"]
        if asked.get("stream"):
            return streamed(answered, law, asked, law.chance(f"chunks of {record.id}"))
        return at_once(answered)

    def _kept(self, script: Script, record: Record) -> tuple[Script, Record]:
        record.status = script.status
        self.records.add(record)
        return script, record

    def other(self, request: Request) -> Script:
        """Return what is answered to everything but chats, at once."""
        match request.method, request.path:
            case "GET", "/health":
                return document(200, {"status": "ok"})
            case "GET", "/v1/models":
                entry = {"id": self.law.model, "object": "model", "created": 0, "owned_by": "double"}
                return document(200, {"object": "list", "data": [entry]})
            case "GET", "/double/records":
                return document(200, self.records.as_document())
            case "POST", "/double/freeze" | "/double/forget" | "/tokenize" | "/apply-template":
                try:
                    return document(200, self._done(request.path, _document(request.body)))
                except Invalid as refused:
                    return document(400, error(400, refused.reason, "invalid_request_error", "openai"))
        return document(404, error(404, f"There is no {request.path}.", "not_found_error", "openai"))

    def _done(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        match path:
            case "/double/freeze":
                after_s, for_s = _number(given, "after_s"), _number(given, "for_s")
                Law(freeze=(after_s, for_s))  # refuses what is none
                self.freeze(after_s, for_s)
            case "/double/forget":
                self.records.forget()
            case "/tokenize":
                return {"tokens": token_ids(str(given.get("content", "")))}
            case "/apply-template":
                return {"prompt": prompt_of(_messages(given))}
        return {}


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("The body is no JSON.") from None
    if not isinstance(found, dict):
        raise Invalid("The body is no JSON object.")
    return found


def _messages(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = given.get("messages")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise Invalid("Send messages: a list of at least one object with role and content.", field="messages")
    return found


def _asked(body: bytes) -> dict[str, Any]:
    found = _document(body)
    _messages(found)
    return found


def _number(given: Mapping[str, Any], name: str) -> float:
    found = given.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Invalid(f"Send {name} in seconds.", field=name)
    return float(found)
