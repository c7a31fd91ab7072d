"""What is sent for each prompt: the body of a chat completion that is streamed, with the use of tokens at its end."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.quality.prompts.prompt_file import Prompt, read_prompts


def prompts_of(plan: ChatPlan) -> tuple[Prompt, ...]:
    """Return the prompts of a plan; raise Invalid if the file is not a file of prompts, or has none."""
    return read_prompts(Path(plan.prompts)).prompts


def chat_bodies(plan: ChatPlan) -> list[bytes]:
    """Return the body of each prompt, in the order of the file; of a conversation, those of its turns by themselves."""
    return [chat_body(plan, prompt, prompt.messages) for prompt in prompts_of(plan)]


def chat_body(plan: ChatPlan, prompt: Prompt, messages: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body of a request with these messages."""
    limit = prompt.max_tokens or plan.max_tokens
    own: dict[str, Any] = {
        "model": plan.model,
        "messages": list(messages),
        "max_tokens": limit,
        "tools": list(prompt.tools),
        "response_format": prompt.response_format,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    given = {name: value for name, value in own.items() if value or name == "messages"}
    return json.dumps(parse_json(plan.parameters) | given).encode()


def conversations_of(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Return the places of the turns of each session in order; a prompt without a session is one of its own.

    Raises Invalid for a session in which a turn is twice.
    """
    sessions: dict[str, list[int]] = {}
    for place, prompt in enumerate(prompts):
        sessions.setdefault(prompt.session or f"\0{place}", []).append(place)
    for name, places in sessions.items():
        places.sort(key=lambda place: prompts[place].turn)
        if any(prompts[one].turn == prompts[other].turn for one, other in itertools.pairwise(places)):
            raise Invalid(f"The session {name!r} has a turn twice; number its turns 0, 1, 2.", field="prompts")
    return list(sessions.values())


def trace_times_s(prompts: Sequence[Prompt], *, speed: float) -> list[float]:
    """Return when each prompt of a trace is due, in seconds from the first; raise Invalid for a time missing or back.

    `speed` 2 sends them twice as fast.
    """
    times = [prompt.at_s for prompt in prompts]
    if any(time is None for time in times):
        raise Invalid("A replay needs at_s, the time in seconds, in each prompt.", field="prompts")
    stated = [time for time in times if time is not None]
    if any(later < earlier for earlier, later in itertools.pairwise(stated)):
        raise Invalid("The prompts of a replay must be in the order of at_s.", field="prompts")
    return [(time - stated[0]) / speed for time in stated]
