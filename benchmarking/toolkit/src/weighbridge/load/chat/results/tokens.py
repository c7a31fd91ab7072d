"""The tokens of answers: those that the server states, checked by a tokenizer, or counted by it if it states none."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from weighbridge.load.chat.answer_stream import UNKNOWN, Finish
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.results.samples import LoadSamples

Count = Callable[[str], int]


@dataclasses.dataclass(frozen=True)
class TokenCheck:
    """How many answers were counted, how many of those differ from `usage`, and the first that does, in words."""

    checked: int
    differing: int
    first: str
    is_counted_here: bool


def with_counted_tokens(
    samples: LoadSamples, chat: ChatSamples, count: Count, *, most: int, seed: int
) -> tuple[ChatSamples, TokenCheck]:
    """Return the samples with the tokens of first parts, and of answers without `usage`, and how the counts compare.

    At most `most` answers are counted, drawn at random; only those without reasoning and calls of tools, whose text is
    all that was generated. The server also counts the token that ends an answer, so that `usage` may be one more.
    """
    first, output = chat.first_tokens.copy(), chat.output_tokens.copy()
    first_difference, checked, differing, added = "", 0, 0, 0
    for request in _drawn(samples, chat, most, seed):
        text = chat.texts[request]
        counted = count(text["text"])
        if first[request] == UNKNOWN and text["first"]:
            first[request] = max(1, count(text["first"]))
        if output[request] == UNKNOWN:
            output[request] = counted + int(chat.finish[request] == Finish.STOP)
            added += 1
            continue
        checked += 1
        if output[request] - counted not in (0, 1):
            differing += 1
            first_difference = first_difference or f"usage says {output[request]}, the tokenizer {counted}"
    counts = dataclasses.replace(chat, first_tokens=first, output_tokens=output)
    return counts, TokenCheck(checked, differing, first_difference, is_counted_here=added > 0)


def _drawn(samples: LoadSamples, chat: ChatSamples, most: int, seed: int) -> Iterator[int]:
    if not chat.texts:
        return
    places = np.flatnonzero(samples.answered)
    if len(places) > most:
        places = np.sort(np.random.default_rng([seed, most]).choice(places, most, replace=False))
    for request in places.tolist():
        text = chat.texts[request]
        if not text["reasoning"] and not text["tool_calls"] and not text["refusal"]:
            yield request
