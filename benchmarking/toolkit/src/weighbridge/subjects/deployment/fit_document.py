"""The document `weighbridge.fit/1`: what a language model needs, and on which accelerators it fits."""

from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.subjects.deployment.architecture import LanguageModel
from weighbridge.subjects.deployment.cards import AcceleratorCard
from weighbridge.subjects.deployment.floors import tpot_floor_ms, ttft_floor_ms
from weighbridge.subjects.deployment.memory import USABLE, Serving, fits, most_sequences, most_tokens, need_bytes
from weighbridge.subjects.deployment.plausibility import implausible_times

SCHEMA = "weighbridge.fit/1"
USUAL_CONTEXT = 4096
MOST_CONTEXT, MOST_SEQUENCES, MOST_PARALLEL = 10**9, 10**6, 1_024
CACHE_BITS = range(2, 33)
_GB = 10**9


def fit_document(
    model: LanguageModel,
    cards: Sequence[AcceleratorCard],
    serving: Serving,
    *,
    context: int | None,
    sequences: int,
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document of a model with `sequences` at once, each of `context` tokens, on each of the cards.

    Without a context, it is 4,096 tokens, or what the model was made for if that is less. The times of `measured`, the
    result of a load test, are compared with the floors of each card. Raises Invalid for numbers that no server has, and
    a result without times.
    """
    length = min(USUAL_CONTEXT, model.context or USUAL_CONTEXT) if context is None else context
    _check(length, sequences, serving)
    need = need_bytes(model, serving, sequences=sequences, context=length)
    return {
        "schema": SCHEMA,
        "model": _model(model),
        "serving": {
            "context_tokens": length,
            "sequences": sequences,
            "tensor_parallel": serving.tensor_parallel,
            "cache_bits": serving.cache_bits,
            "block_tokens": serving.block_tokens,
            "activation_bytes": serving.activation_bytes,
            "usable_share": float(USABLE),
        },
        "need_bytes": need,
        "metrics": _metrics(model, serving, need),
        "measured": None if measured is None else digest_of(measured),
        "accelerators": [
            {
                **_fitted(model, card, serving, need=need, context=length),
                "implausible": [] if measured is None else implausible_times(model, card, serving, measured),
            }
            for card in cards
        ],
        "notes": [{"message": note} for note in (*model.notes, *_notes(model, length))],
    }


def _check(context: int, sequences: int, serving: Serving) -> None:
    bounds = (
        ("context", context, MOST_CONTEXT),
        ("sequences", sequences, MOST_SEQUENCES),
        ("tensor_parallel", serving.tensor_parallel, MOST_PARALLEL),
    )
    for field, value, most in bounds:
        if not 1 <= value <= most:
            raise Invalid(f"{field} must be a whole number from 1 to {most:,}.", field=field)
    if serving.cache_bits not in CACHE_BITS:
        text = f"cache_bits must be from {CACHE_BITS.start} to {CACHE_BITS.stop - 1}, like 16 or 8."
        raise Invalid(text, field="cache_bits")


def _model(model: LanguageModel) -> dict[str, Any]:
    counted = model.parameters
    return {
        "source": model.source,
        "name": model.name,
        "family": model.family,
        "license": model.license,
        "chat_template": model.chat_template,
        "context_tokens": model.context,
        "layers": model.layers,
        "caches": [
            {
                "layers": group.layers,
                "heads": group.heads,
                "key_width": group.key_width,
                "value_width": group.value_width,
                "window": group.window,
                "is_latent": group.is_latent,
            }
            for group in model.groups
        ],
        "parameters_total": counted.total if counted is not None else None,
        "parameters_active": counted.active if counted is not None else None,
        "weights_bytes": model.weights.size_bytes,
        "weights_source": model.weights.source,
    }


def _metrics(model: LanguageModel, serving: Serving, need: int) -> dict[str, Any]:
    """Return the figures in the form in which results have their metrics; nobody measured them, so n is 0."""
    counted = model.parameters
    values: dict[str, tuple[float | None, str]] = {
        "context_tokens": (model.context, "tokens"),
        "parameters_total": (counted.total if counted is not None else None, "1"),
        "parameters_active": (counted.active if counted is not None else None, "1"),
        "weights_gb": (model.weights.size_bytes / _GB, "GB"),
        "kv_bytes_per_token": (model.bytes_per_token(serving.cache_bits), "B"),
        "kv_bytes_of_windows": (model.bytes_of_windows(serving.cache_bits), "B"),
        "memory_fit_gb": (need / _GB, "GB"),
    }
    none = {"lower": None, "upper": None, "confidence": None, "n": 0}
    method = f"derived from {model.source}"
    if model.weights.source not in ("header", model.source):
        method += f", weights from {model.weights.source}"
    return {
        name: {"value": value, **none, "unit": unit, "basis": Basis.DERIVED.value, "method": method}
        for name, (value, unit) in values.items()
        if value is not None
    }


def _fitted(
    model: LanguageModel, card: AcceleratorCard, serving: Serving, *, need: int, context: int
) -> dict[str, Any]:
    memory = card.memory_bytes
    return {
        "name": card.name,
        "label": card.label,
        "memory_bytes": memory,
        "source": card.source,
        "as_of": card.as_of.isoformat(),
        "fits": fits(need, memory),
        "most_sequences": most_sequences(model, serving, memory_bytes=memory, context=context),
        "most_tokens": most_tokens(model, serving, memory_bytes=memory),
        "tpot_floor_ms": tpot_floor_ms(model, card, serving, context=context),
        "ttft_floor_ms": ttft_floor_ms(model, card, serving, tokens=context),
    }


def _notes(model: LanguageModel, context: int) -> list[str]:
    if model.context is not None and context > model.context:
        return [f"The model was made for {model.context:,} tokens; its answers beyond them may be of no use."]
    return []
