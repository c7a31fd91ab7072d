"""Prompt files: one prompt a line (JSONL), for load tests of language models and for measuring their quality.

A line has `id` and `messages` (or `prompt`, one message of the user), and may have `max_tokens`, `cluster` (prompts
that belong together), `slices` (name to value), `expected` (a scorer), `forbidden` (texts or a pattern that no answer
may contain), `at_s` (when it is due in a replay), `session` and `turn`, `tools`, and `response_format`. Keys that begin
with `x_` are ignored.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.json_lines import LineLimits, read_lines, text_of

LIMITS = LineLimits(lines_max=200_000)
NAME_CHARS_MAX, CONTENT_CHARS_MAX = 200, 2_000_000
MESSAGES_MAX, TOOLS_MAX, SLICES_MAX, TOKENS_MAX, TURNS_MAX = 500, 200, 20, 10_000_000, 10_000
SECONDS_MAX = 1e9
IGNORED = "x_"


class MessageRole(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt; each message is `{"role", "content"}`.

    `expected` and `forbidden` are documents as in the file, which the scorers read. `at_s` is in seconds.
    """

    id: str
    messages: tuple[Mapping[str, str], ...]
    max_tokens: int | None = None
    cluster: str = ""
    slices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    expected: Mapping[str, Any] | None = None
    forbidden: Mapping[str, Any] | Sequence[Any] | None = None
    at_s: float | None = None
    session: str = ""
    turn: int = 0
    tools: tuple[Mapping[str, Any], ...] = ()
    response_format: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class PromptFile:
    """Prompts in the order of the file, and the digest of the file (`sha256:<hex>`)."""

    prompts: tuple[Prompt, ...]
    digest: str


def read_prompts(path: Path) -> PromptFile:
    """Return the prompts of a file; raise Invalid for a bad line or an id that repeats, TooLarge above the limits."""
    prompts, digest = read_lines(path, _prompt, field="prompts", limits=LIMITS)
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.id in seen:
            text = f"{path.name} repeats the id {prompt.id!r}; each prompt needs an id of its own."
            raise Invalid(text, code="prompts_repeat", field="prompts")
        seen.add(prompt.id)
    return PromptFile(prompts, digest)


def _prompt(reader: Reader) -> Prompt:
    for name in reader.names:
        if name.startswith(IGNORED):
            reader.asks(name)
    has_limit, has_turn = reader.asks("max_tokens"), reader.asks("turn")
    return Prompt(
        id=_name(reader, "id", default=None),
        messages=_messages(reader),
        max_tokens=reader.whole("max_tokens", at_least=1, at_most=TOKENS_MAX) if has_limit else None,
        cluster=_name(reader, "cluster"),
        slices=_slices(reader),
        expected=_object(reader, "expected"),
        forbidden=_forbidden(reader),
        at_s=_seconds(reader, "at_s"),
        session=_name(reader, "session"),
        turn=reader.whole("turn", at_most=TURNS_MAX) if has_turn else 0,
        tools=_tools(reader),
        response_format=_object(reader, "response_format"),
    )


def _name(reader: Reader, key: str, default: str | None = "") -> str:
    if not reader.asks(key) and default is not None:
        return default
    value = reader.text(key)
    if len(value) > NAME_CHARS_MAX:
        raise reader.fault(key, f"has more than {NAME_CHARS_MAX} characters.")
    return value


def _messages(reader: Reader) -> tuple[Mapping[str, str], ...]:
    has_messages, has_prompt = reader.asks("messages"), reader.asks("prompt")
    if has_messages == has_prompt:
        raise reader.fault("messages", "or prompt must be given, and not both.")
    if has_prompt:
        content = text_of(reader, "prompt", chars_max=CONTENT_CHARS_MAX)
        return ({"role": MessageRole.USER.value, "content": content},)
    messages = reader.items("messages", _message)
    if not 1 <= len(messages) <= MESSAGES_MAX:
        raise reader.fault("messages", f"must have 1 to {MESSAGES_MAX} messages.")
    return messages


def _message(reader: Reader) -> Mapping[str, str]:
    role = reader.choice("role", MessageRole)
    content = text_of(reader, "content", chars_max=CONTENT_CHARS_MAX, default=None)
    return {"role": role.value, "content": content}


def _slices(reader: Reader) -> Mapping[str, str]:
    slices = reader.mapping("slices")
    if len(slices.names) > SLICES_MAX:
        raise reader.fault("slices", f"has more than {SLICES_MAX} names.")
    return {name: _name(slices, name, default=None) for name in slices.names}


def _object(reader: Reader, key: str) -> Mapping[str, Any] | None:
    if not reader.asks(key):
        return None
    value = reader.plain(key)
    if not isinstance(value, dict):
        raise reader.fault(key, "must be an object.")
    return value


def _forbidden(reader: Reader) -> Mapping[str, Any] | Sequence[Any] | None:
    if not reader.asks("forbidden"):
        return None
    value = reader.plain("forbidden")
    if not isinstance(value, dict | list):
        raise reader.fault("forbidden", 'must be a list of texts, or {"regex": "…"}.')
    return value


def _seconds(reader: Reader, key: str) -> float | None:
    if not reader.asks(key):
        return None
    value = reader.plain(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= SECONDS_MAX:
        raise reader.fault(key, "must be a number of seconds, zero or more.")
    return float(value)


def _tools(reader: Reader) -> tuple[Mapping[str, Any], ...]:
    if not reader.asks("tools"):
        return ()
    value = reader.plain("tools")
    if not isinstance(value, list) or len(value) > TOOLS_MAX or not all(isinstance(each, dict) for each in value):
        raise reader.fault("tools", f"must be a list of at most {TOOLS_MAX} objects.")
    return tuple(value)
