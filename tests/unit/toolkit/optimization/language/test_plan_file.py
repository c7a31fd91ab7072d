"""The file of alternatives: prices, ranges, shared answers, and what is refused."""

from pathlib import Path

import pytest

from tests.unit.toolkit.optimization.language.builders import LARGE, SMALL, plan_document
from weighbridge.core.errors import Invalid
from weighbridge.costs.uncertainty import Range
from weighbridge.optimization.language.plan_file import RequestPrice, plan_from

FOLDER = Path("/plans")
BATCH = {"name": "batch", "kind": "batch_tier"}
CASCADE = {"name": "both", "kind": "cascade", "first": "small"}
CACHE = {"name": "cached", "kind": "prompt_cache"}


def read(*alternatives, **changes):
    return plan_from(plan_document(*alternatives, **changes), FOLDER)


def test_options_have_paths_prices_and_what_they_inherit():
    own = {"name": "own", "kind": "quantized", "answers": "own.jsonl", "usd_per_request": [0.001, 0.004]}
    plan = read(SMALL, BATCH, own, CASCADE, CACHE | {"prefix_tokens": 9, "hit_share": "0.5"})
    small, batch, quantized, cascade, cached = plan.alternatives
    assert (plan.prompts, small.answers) == (FOLDER / "prompts.jsonl", FOLDER / "small.jsonl")
    assert (plan.check_usd, plan.fallback_usd) == (0.0, None)
    assert batch.price == RequestPrice(model="openai/gpt-5", tier="batch")
    assert quantized.price.usd == Range(0.001, 0.004)
    assert (cascade.first, cascade.then, cascade.confidence) == ("small", "large", None)
    assert (cached.prefix.tokens, cached.prefix.hit_share, cached.answers) == (9, 0.5, None)
    tuned = LARGE | {"once_usd": 100, "requests": 10}
    assert read(BATCH, baseline=tuned, fallback_usd=0.4).alternatives[0].price.once_per_request == 10
    assert read(BATCH | {"usd_per_request": 0.1}).alternatives[0].price.usd == 0.1


REFUSED = {
    "no alternative": ((), {}, "alternatives must list 1 to 12"),
    "too many": ([SMALL | {"name": f"s{each}"} for each in range(13)], {}, "alternatives must list 1 to 12"),
    "a margin of one": ((SMALL,), {"margin": 1}, "margin must be between 0 and 1"),
    "an unknown kind": ((SMALL | {"kind": "magic"},), {}, "kind must be one of"),
    "one name twice": ((SMALL, SMALL), {}, "small"),
    "the name of the baseline": ((SMALL | {"name": "large"},), {}, "large"),
    "a long name": ((SMALL | {"name": "s" * 81},), {}, "more than 80 characters"),
    "no answers": (({"name": "s", "kind": "quantized", "model": "m"},), {}, "quantized changes them"),
    "no price": (({"name": "s", "kind": "quantized", "answers": "a"},), {}, "what a request costs"),
    "two prices": ((SMALL | {"usd_per_request": 1},), {}, "and not both"),
    "a negative price": (({**SMALL, "model": None, "usd_per_request": -1},), {}, "zero or more"),
    "a range turned around": (({**SMALL, "model": None, "usd_per_request": [2, 1]},), {}, "a 90 % range"),
    "a range of text": (({**SMALL, "model": None, "usd_per_request": ["a", "b"]},), {}, "a 90 % range"),
    "once without requests": ((SMALL | {"once_usd": 5},), {}, "requests"),
    "an unknown key": ((SMALL | {"speed": 5},), {}, "speed"),
    "a cache without a prefix": ((CACHE,), {}, "prefix_tokens"),
    "a share above one": ((CACHE | {"prefix_tokens": 5, "hit_share": 2},), {}, "share between 0 and 1"),
    "a batch tier without prices": (
        (BATCH,),
        {"baseline": {"name": "b", "answers": "a", "usd_per_request": 1}},
        "batch",
    ),
    "a cache without prices": (
        (CACHE | {"prefix_tokens": 5, "hit_share": 1},),
        {"baseline": {"name": "b", "answers": "a", "usd_per_request": 1}},
        "priced by the tokens",
    ),
    "a cascade of an unknown model": ((CASCADE,), {}, r"alternatives\[0\]\.first must name"),
    "a cascade of a cascade": ((SMALL, CASCADE, CASCADE | {"name": "c", "then": "both"}), {}, r"\[2\]\.then must name"),
    "a cascade of one model": ((SMALL, CASCADE | {"then": "small"}), {}, "asks small twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_that_cannot_be_compared_is_refused(name):
    alternatives, changes, words = REFUSED[name]
    with pytest.raises(Invalid, match=words):
        read(*alternatives, **changes)
