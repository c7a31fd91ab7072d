"""Prompts by a stated law: lengths in words, and beginnings that several prompts share.

The words are common English ones, which tokenizers mostly know whole; how many tokens a prompt has, the server says.
"""

import dataclasses
import functools
import json
import math
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.load import chat

MOST_PROMPTS, MOST_WORDS = 100_000, 200_000
WORDS = "words.txt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptLaw:
    """How prompts are generated. Lengths are lognormal: a median and the standard deviation of the logarithm.

    `input` and `prefix` are words, `output` tokens: the most tokens of an answer, 0 for no limit. The share
    `prefix_share` of the prompts begins with one of `prefixes` shared beginnings of `prefix` words.
    """

    input: float = 200.0
    input_sigma: float = 0.0
    output: float = 0.0
    output_sigma: float = 0.0
    prefix: int = 0
    prefix_share: float = 1.0
    prefixes: int = 1
    prompts: int = 500

    def __post_init__(self) -> None:
        """Raise Invalid for a law that generates nothing, or too much."""
        values = dataclasses.asdict(self)
        if any(not 0 <= value < math.inf for value in values.values()) or self.input < 1:
            raise Invalid("Each number of a law must be zero or more, and input at least 1.", field="generate")
        if not 1 <= self.prompts <= MOST_PROMPTS or not 1 <= self.prefixes <= self.prompts or self.prefix_share > 1:
            text = f"A law needs 1 to {MOST_PROMPTS:,} prompts, at most as many prefixes, and a share of at most 1."
            raise Invalid(text, field="generate")
        if max(self.input, self.output, self.prefix) > MOST_WORDS or max(self.input_sigma, self.output_sigma) > 3:
            text = f"A length may be at most {MOST_WORDS:,}, and a sigma at most 3."
            raise Invalid(text, field="generate")


def law_from(text: str) -> PromptLaw:
    """Parse `input=600,input_sigma=0.8,output=200`; raise Invalid for unknown names and values that are no numbers."""
    kinds = {field.name: int if field.type is int else float for field in dataclasses.fields(PromptLaw)}
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in kinds or name in found:
            raise Invalid(f"A law of prompts has {', '.join(kinds)}, each once, not {name!r}.", field="generate")
        try:
            found[name] = kinds[name](value)
        except ValueError as error:
            raise Invalid(f"{name} must be a number, not {value!r}.", field="generate") from error
    return PromptLaw(**found)  # type: ignore[arg-type]  # by the types of the fields


def generated_prompts(law: PromptLaw, *, seed: int) -> bytes:
    """Return a file of prompts (JSONL) by the law; the same for the same seed."""
    rng, words = np.random.default_rng([seed, law.prompts]), np.array(_vocabulary())
    inputs, outputs = (
        np.clip(median * np.exp(sigma * rng.standard_normal(law.prompts)), 1, MOST_WORDS).round().astype(int)
        for median, sigma in ((law.input, law.input_sigma), (law.output, law.output_sigma))
    )
    beginnings = [_words(rng, words, law.prefix) for _ in range(law.prefixes)]
    has_prefix, which = rng.random(law.prompts) < law.prefix_share, rng.integers(0, law.prefixes, law.prompts)
    lines = []
    for place in range(law.prompts):
        shared = beginnings[which[place]] if has_prefix[place] and law.prefix else ""
        own = _words(rng, words, max(1, int(inputs[place]) - (law.prefix if shared else 0)))
        prompt = {"id": f"p-{place}", "prompt": f"{shared} {own}".strip()}
        lines.append(json.dumps(prompt | ({"max_tokens": int(outputs[place])} if law.output else {})))
    return ("\n".join(lines) + "\n").encode()


@functools.cache
def _vocabulary() -> list[str]:
    return files(chat).joinpath(WORDS).read_text().split()


def _words(rng: np.random.Generator, words: NDArray[np.str_], count: int) -> str:
    return " ".join(words[rng.integers(0, len(words), count)])
