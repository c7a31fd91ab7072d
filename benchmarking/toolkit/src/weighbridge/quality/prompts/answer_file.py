"""Answer files: one answer of a language model a line (JSONL), as the streaming load test writes them.

A line has `id` (of the prompt), `attempt` (from 0), `text`, `finish` (why it ended), and may have `reasoning`,
`tool_calls`, `refusal`, `error`, and `usage`. Input tokens include cached tokens, output tokens include reasoning.
"""

import dataclasses
import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import canonical_json
from weighbridge.core.documents import Reader, cleaned
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.json_lines import LineLimits, read_lines, text_of

LIMITS = LineLimits()
NAME_CHARS_MAX, TEXT_CHARS_MAX, CALLS_MAX, ATTEMPTS_MAX = 200, 2_000_000, 200, 10_000
TOKENS_MAX = 100_000_000
TEXTS = ("text", "reasoning", "refusal", "error")


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenUsage:
    """Tokens of one request; None is unknown. Cached are part of input tokens, reasoning part of output tokens."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for a part that is larger than its whole."""
        for part, whole in (("cached_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
            some, every = getattr(self, part), getattr(self, whole)
            if some is not None and every is not None and some > every:
                text = f"The usage has {some:,} {part} of {every:,} {whole}; {whole} must include them."
                raise Invalid(text, code="answers_usage", field=f"usage.{part}")


@dataclasses.dataclass(frozen=True)
class ToolCall:
    """A call that the model asks for; `arguments` is the JSON text that the model wrote, which may be broken."""

    name: str
    arguments: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptAnswer:
    """An answer to the prompt `id`; `attempt` counts repeated runs of the same prompt."""

    id: str
    attempt: int = 0
    text: str = ""
    finish: Finish = Finish.STOP
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str = ""
    error: str = ""
    usage: TokenUsage | None = None


@dataclasses.dataclass(frozen=True)
class AnswerFile:
    """Answers in the order of the file, and the digest of the file (`sha256:<hex>`)."""

    answers: tuple[PromptAnswer, ...]
    digest: str


def read_answers(path: Path) -> AnswerFile:
    """Return the answers of a file; characters that cannot be stored are replaced.

    Raises Invalid for a bad line or an attempt that repeats, TooLarge above the limits.
    """
    answers, digest = read_lines(path, _answer, field="answers", limits=LIMITS, is_cleaning=True)
    seen: set[tuple[str, int]] = set()
    for answer in answers:
        if (answer.id, answer.attempt) in seen:
            text = f"{path.name} repeats attempt {answer.attempt} of the prompt {answer.id!r}; number the attempts."
            raise Invalid(text, code="answers_repeat", field="answers")
        seen.add((answer.id, answer.attempt))
    return AnswerFile(answers, digest)


def answer_lines(answers: Iterable[PromptAnswer]) -> bytes:
    """Return the lines of an answer file in UTF-8; `read_answers` gives the same answers back."""
    return b"".join(_line(answer) for answer in answers)


def _line(answer: PromptAnswer) -> bytes:
    line: dict[str, Any] = {"id": answer.id, "attempt": answer.attempt, "text": cleaned(answer.text)}
    line["finish"] = answer.finish.value
    line |= {key: cleaned(text) for key in TEXTS[1:] if (text := getattr(answer, key))}
    if answer.tool_calls:
        line["tool_calls"] = [
            {"name": cleaned(each.name), "arguments": cleaned(each.arguments)} for each in answer.tool_calls
        ]
    if answer.usage is not None:
        line["usage"] = {key: value for key, value in dataclasses.asdict(answer.usage).items() if value is not None}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _answer(reader: Reader) -> PromptAnswer:
    name = reader.text("id")
    if len(name) > NAME_CHARS_MAX:
        raise reader.fault("id", f"has more than {NAME_CHARS_MAX} characters.")
    has_attempt, has_usage = reader.asks("attempt"), reader.asks("usage")
    text, reasoning, refusal, error = (text_of(reader, key, chars_max=TEXT_CHARS_MAX) for key in TEXTS)
    calls = reader.items("tool_calls", _call)
    if len(calls) > CALLS_MAX:
        raise reader.fault("tool_calls", f"has more than {CALLS_MAX} calls.")
    return PromptAnswer(
        id=name,
        attempt=reader.whole("attempt", at_most=ATTEMPTS_MAX) if has_attempt else 0,
        text=text,
        finish=reader.choice("finish", Finish),
        reasoning=reasoning,
        tool_calls=calls,
        refusal=refusal,
        error=error,
        usage=_usage(reader.mapping("usage")) if has_usage else None,
    )


def _call(reader: Reader) -> ToolCall:
    name = text_of(reader, "name", chars_max=NAME_CHARS_MAX)
    if reader.asks("arguments") and isinstance(given := reader.plain("arguments"), dict):
        return ToolCall(name, canonical_json(given))
    return ToolCall(name, text_of(reader, "arguments", chars_max=TEXT_CHARS_MAX))


def _usage(reader: Reader) -> TokenUsage:
    tokens = {
        field.name: reader.whole(field.name, at_most=TOKENS_MAX)
        for field in dataclasses.fields(TokenUsage)
        if reader.asks(field.name)
    }
    reader.close()
    return TokenUsage(**tokens)
