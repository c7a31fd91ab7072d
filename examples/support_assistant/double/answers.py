"""What the double answers: a stated function of the request, by default words drawn from the prompt's digest."""

import dataclasses
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from examples.support_assistant.double.law import ANSWER, REQUEST, Law, limit_of
from examples.support_assistant.double.tokens import prompt_of, text_of, tokens_of
from weighbridge.core.errors import Invalid

FILLER = tuple(tokens_of(" the shop sends your order back within days if you ask us for it and we are glad to help"))
DEFAULT_WORDS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer in parts. Each tool call has `name` and `arguments` (JSON text); a refusal stands for the text."""

    text: str = ""
    reasoning: str = ""
    tool_calls: Sequence[Mapping[str, str]] = ()
    refusal: str = ""


AnswerFunction = Callable[[Mapping[str, Any]], str | Reply]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Output:
    """The tokens that will come: reasoning first, then those of `kind` (content, refusal or tool calls)."""

    reasoning: Sequence[str]
    tokens: Sequence[str]
    kind: str
    finish: str
    tool_calls: Sequence[Mapping[str, str]] = ()

    @property
    def total(self) -> int:
        """The number of tokens, the end of the sequence not counted."""
        return len(self.reasoning) + len(self.tokens)


def last_question(request: Mapping[str, Any]) -> str:
    """Return the text of the last message of the user."""
    asked = [text_of(each.get("content")) for each in request["messages"] if each.get("role") == "user"]
    return asked[-1] if asked else ""


def drawn_words(request: Mapping[str, Any]) -> str:
    """Return words that depend on the prompt alone."""
    chance = Law().chance(prompt_of(request["messages"]))
    return "".join(chance.choices(FILLER, k=DEFAULT_WORDS))


def answer_function(reference: str) -> AnswerFunction:
    """Return the function that `package.module:name` names. Raises Invalid if there is none."""
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise Invalid(f"{reference} names no function: {error}", field="answers") from error
    if not callable(found):
        raise Invalid(f"{reference} names no function.", field="answers")
    return cast("AnswerFunction", found)


def output_of(request: Mapping[str, Any], reply: Reply, law: Law, key: str) -> Output:
    """Return the tokens of an answer, reasoning included in every number: as the law says, within the request's limit.

    A text that is too short for a stated number of tokens is filled up, one that is too long is cut.
    """
    kind, tokens = "content", tokens_of(reply.text)
    if reply.tool_calls:
        kind = "tool_calls"
        tokens = [
            token
            for call in reply.tool_calls
            for part in (call["name"], call["arguments"])
            for token in tokens_of(part)
        ]
    elif reply.refusal:
        kind, tokens = "refusal", tokens_of(reply.refusal)
    reasoning = tokens_of(reply.reasoning) or _stretched([], law.reasoning_tokens)
    wanted, limit = len(reasoning) + len(tokens), limit_of(request)
    is_forced = False
    if kind == "content":
        wanted = law.output_tokens(request, has=wanted, chance=law.chance(key))
        is_forced = law.output == REQUEST or (law.output == ANSWER and bool(request.get("ignore_eos")))
    is_cut = limit is not None and (wanted > limit or (wanted == limit and is_forced))
    total = wanted if limit is None else min(wanted, limit)
    finish = "length" if is_cut else "tool_calls" if kind == "tool_calls" else "stop"
    reasoning = reasoning[:total]
    shown = _stretched(tokens, total - len(reasoning))
    calls = reply.tool_calls if kind == "tool_calls" else ()
    return Output(reasoning=reasoning, tokens=shown, kind=kind, finish=finish, tool_calls=calls)


def _stretched(tokens: Sequence[str], count: int) -> list[str]:
    missing = max(count - len(tokens), 0)
    return [*tokens, *(FILLER * (missing // len(FILLER) + 1))[:missing]][:count]


def called_tool(request: Mapping[str, Any]) -> Reply:
    """Return a call of the first tool that the request offers, with its question as the argument."""
    tools = request.get("tools") or [{}]
    name = str(tools[0].get("function", {}).get("name", "look_up"))
    arguments = json.dumps({"question": last_question(request)[:80]}, ensure_ascii=False)
    return Reply(tool_calls=({"name": name, "arguments": arguments},))
