"""Inputs of an own server from a load test: its goodput with its interval, and the mean tokens of a request."""

import math
from collections.abc import Mapping
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.uncertainty import Z_SPAN_90

GOODPUT = "goodput_per_s"
TOKENS = {"input_tokens": "input_tokens_mean", "output_tokens": "output_tokens_mean"}
INVALID = "invalid"
USUAL_CONFIDENCE = 0.95
REASON_KEYS = ("code", "status", "message")


def with_measured_server(document: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a comparison with the goodput of a load test, and its mean tokens where none are stated.

    An interval of the goodput at another confidence becomes the range of 90 % with the same distribution. Raises
    Invalid for an invalid result, one without goodput, and inputs that state a goodput as well.
    """
    reader, stated = Reader(result), document.get("own", {})
    if not isinstance(stated, Mapping):
        raise Invalid("own must be a mapping of names to values.", field="own")
    own = dict(stated)
    if reader.has("verdict"):
        _check_verdict(reader.mapping("verdict"))
    metrics = reader.mapping("metrics")
    if not metrics.has(GOODPUT):
        text = f"The result has no {GOODPUT}; run a load test of a language model with limits."
        raise Invalid(text, field="measured")
    if "goodput_per_s" in own:
        raise Invalid("own.goodput_per_s is stated and measured; leave one out.", field="own.goodput_per_s")
    own["goodput_per_s"] = _range_of(metrics.mapping(GOODPUT))
    for name, metric in TOKENS.items():
        if name not in own and metrics.has(metric):
            own[name] = float(metrics.mapping(metric).number("value"))
    return {**document, "own": own}


def _check_verdict(verdict: Reader) -> None:
    """Raise Invalid, with the first reason, for an invalid result."""
    if verdict.text("status", "") != INVALID:
        return
    reasons = verdict.items("reasons", lambda each: {key: each.text(key, "") for key in REASON_KEYS})
    why = next((f" ({each['message']})" for each in reasons if each["status"] == INVALID), "")
    text = f"The load test is invalid, so its goodput is no measurement; test again.{why}"
    raise Invalid(text, field="measured")


def measured_by(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says which result was used: its schema and digest, and the goodput as it states it."""
    return {
        "schema": str(result.get("schema", "")),
        "digest": digest_of(result),
        GOODPUT: dict(result["metrics"][GOODPUT]),
    }


def _range_of(metric: Reader) -> float | list[float]:
    """The value of a metric, or the range of 90 % of a lognormal with its bounds."""
    value = float(metric.number("value"))
    if not (metric.has("lower") and metric.has("upper")):
        return value
    lower, upper = float(metric.number("lower")), float(metric.number("upper"))
    if lower <= 0 or upper < lower:
        text = "The lower bound of the goodput is zero, so no cost follows from it; test longer."
        raise Invalid(text, field="measured")
    confidence = float(metric.number("confidence")) if metric.has("confidence") else USUAL_CONFIDENCE
    half = math.log(upper / lower) / 2 * (Z_SPAN_90 / 2) / _score(confidence)
    middle = math.sqrt(lower * upper)
    return [middle * math.exp(-half), middle * math.exp(half)]


def _score(confidence: float) -> float:
    from scipy.stats import norm

    if not 0 < confidence < 1:
        raise Invalid("The confidence of the goodput must lie between 0 and 1.", field="measured")
    return float(norm.ppf((1 + confidence) / 2))
