"""The answers of a load test as a file of answers, which can be scored."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from weighbridge.load.chat.answer_stream import UNKNOWN, StreamEnd
from weighbridge.load.chat.prompts import prompts_of
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.results.samples import RIGHT, LoadSamples, RequestOutcome
from weighbridge.quality.prompts.answer_file import Finish, PromptAnswer, TokenUsage, ToolCall

FINISHES: Mapping[int, Finish] = {
    StreamEnd.LENGTH: Finish.LENGTH,
    StreamEnd.TOOL_CALLS: Finish.TOOL_CALLS,
    StreamEnd.CONTENT_FILTER: Finish.CONTENT_FILTER,
}


def answers_of(
    plan: ChatPlan, samples: LoadSamples, chat: ChatSamples, complaints: Mapping[str, str]
) -> Iterator[PromptAnswer]:
    """Yield an answer for each request that was sent and settled, in order of the schedule.

    Requests that send the same prompt are attempts 0, 1, 2. A failure has the kind as its error, with the first
    message of that kind.
    """
    prompts, attempts = prompts_of(plan), Counter[str]()
    for request, text in enumerate(chat.texts):
        outcome = RequestOutcome(int(samples.outcome[request]))
        if outcome is RequestOutcome.UNSETTLED:
            continue
        name = prompts[int(chat.prompt[request])].id
        is_right, kind = outcome in RIGHT, outcome.name.lower()
        yield PromptAnswer(
            id=name,
            attempt=attempts[name],
            text=text["text"],
            reasoning=text["reasoning"],
            refusal=text["refusal"],
            finish=FINISHES.get(int(chat.finish[request]), Finish.STOP) if is_right else Finish.ERROR,
            tool_calls=tuple(ToolCall(call["name"], call["arguments"]) for call in text["tool_calls"]),
            error="" if is_right else f"{kind}: {complaints.get(kind, '')}",
            usage=_usage(chat, request),
        )
        attempts[name] += 1


def _usage(chat: ChatSamples, request: int) -> TokenUsage | None:
    counts: dict[str, Any] = {}
    for name in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"):
        count = int(getattr(chat, name)[request])
        counts[name] = None if count == UNKNOWN else count
    return TokenUsage(**counts) if any(count is not None for count in counts.values()) else None
