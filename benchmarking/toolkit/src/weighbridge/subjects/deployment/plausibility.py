"""Measured times that a language model cannot have on an accelerator: they are implausible."""

from collections.abc import Iterator, Mapping
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.deployment.architecture import LanguageModel
from weighbridge.subjects.deployment.cards import AcceleratorCard
from weighbridge.subjects.deployment.floors import tpot_floor_ms, ttft_floor_ms
from weighbridge.subjects.deployment.memory import Serving

TTFT, TPOT = "ttft_service_p50_ms", "tpot_p50_ms"
# Prompts differ in length: the median may be that of a prompt of half the mean length.
SHARE_OF_MEAN = 0.5


def implausible_times(
    model: LanguageModel, card: AcceleratorCard, serving: Serving, result: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the median times of a load test that are below the floors of an accelerator, in milliseconds.

    The upper bound of a median is compared, and the floors are those of half the mean prompt less what the cache
    served. Raises Invalid for a result without such times.
    """
    metrics = Reader(result).mapping("metrics")
    if not (metrics.has(TTFT) or metrics.has(TPOT)) or not metrics.has("input_tokens_mean"):
        text = f"The result has no {TTFT} or {TPOT} with input_tokens_mean; give that of `weighbridge load --chat`."
        raise Invalid(text, field="measured")
    cached = _value(metrics, "cached_token_share") if metrics.has("cached_token_share") else 0.0
    tokens = int(_value(metrics, "input_tokens_mean") * SHARE_OF_MEAN)
    floors = {
        TTFT: ttft_floor_ms(model, card, serving, tokens=int(tokens * (1 - cached))),
        TPOT: tpot_floor_ms(model, card, serving, context=tokens),
    }
    return list(_below(metrics, floors))


def _below(metrics: Reader, floors: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for name, floor in floors.items():
        if metrics.has(name) and (most := _value(metrics, name, "upper")) < floor:
            yield {"metric": name, "at_most_ms": most, "floor_ms": floor}


def _value(metrics: Reader, name: str, key: str = "value") -> float:
    found = metrics.mapping(name)
    return float(found.number(key if found.asks(key) else "value"))
