"""The part of a load plan that is about prompts and streamed answers."""

import dataclasses
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.load.chat.limits import Limits

NO_LIMITS = Limits()
# The request itself; a parameter may not change them.
OWN_KEYS = frozenset({"messages", "model", "stream", "stream_options", "n", "prompt"})
MOST_PARAMETERS = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChatPlan:
    """Which prompts are sent to which model, and what is expected of the answers.

    `prompts` is the file of prompts, `name` its name, `digest` that of its content, and `law` the law that generated
    it, if one did. `parameters` are further keys of each request as JSON. In a conversation, the next turn is due
    `think_s` after an answer. `speed` scales the times of a trace. `cached_share` is the share of input tokens that a
    cache may serve, None if nobody stated one. `tokenizer` counts tokens: a file, or "server". `keeps_text` says
    whether the texts of answers are kept.
    """

    prompts: str
    name: str
    digest: str
    model: str = ""
    max_tokens: int | None = None
    parameters: str = "{}"
    law: str = ""
    is_conversation: bool = False
    think_s: float = 0.0
    speed: float = 1.0
    limits: Limits = NO_LIMITS
    cached_share: float | None = None
    tokenizer: str = ""
    keeps_text: bool = False

    def __post_init__(self) -> None:
        """Raise Invalid for settings that the generator cannot use."""
        if self.max_tokens is not None and self.max_tokens < 1:
            raise Invalid("An answer needs at least one token.", field="max_tokens")
        if not 0 < self.speed < math.inf:
            raise Invalid("The speed of a replay must be a positive number, like 2 for twice as fast.", field="speed")
        if self.cached_share is not None and not 0 <= self.cached_share <= 1:
            raise Invalid("The share of cached tokens must be between 0 and 1.", field="cached_share")

    def as_document(self) -> dict[str, Any]:
        """Return the settings as a document without folders."""
        limits = {**dataclasses.asdict(self.limits), "words": self.limits.words()}
        files = {"prompts": self.name, "tokenizer": Path(self.tokenizer).name}
        own = {**files, "parameters": parse_json(self.parameters), "limits": limits}
        return {**dataclasses.asdict(self), **own}


def parameters_from(texts: Iterable[str]) -> str:
    """Return parameters of requests as JSON, from `NAME=VALUE`; a value that is JSON is taken as it is, else as text.

    Raises Invalid for another form, and for the keys that the load test sets itself.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise Invalid(f"Write a parameter like temperature=0, not {text!r}.", field="parameter")
        if name.strip() in OWN_KEYS:
            raise Invalid(f"The load test sets {name.strip()} itself; remove this parameter.", field="parameter")
        found[name.strip()] = _value(value.strip())
    if len(found) > MOST_PARAMETERS:
        raise Invalid(f"A request may have at most {MOST_PARAMETERS} parameters.", field="parameter")
    return json.dumps(found, sort_keys=True)


def _value(text: str) -> Any:
    try:
        return parse_json(text, name="A parameter", field="parameter")
    except Invalid:
        return text
