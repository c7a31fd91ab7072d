"""A result of cheaper variants, as a worker stores it."""

from typing import Any


def metric_value(
    value: float, lower: float | None = None, upper: float | None = None, *, unit: str = "ms"
) -> dict[str, Any]:
    level = None if lower is None else 0.95
    return {"value": value, "lower": lower, "upper": upper, "confidence": level, "n": 9_488, "unit": unit}


def variant(name: str, answer: str, p95_ms: float, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "made_by": f"how {name} is made",
        "metrics": {
            "accuracy": metric_value(0.8604, 0.8535, 0.8671, unit="ratio"),
            "latency_p95_ms": metric_value(p95_ms, p95_ms * 0.9, p95_ms * 1.1),
            "model_size_mb": metric_value(1.6888, unit="MB"),
        },
        "verdict": {
            "answer": answer,
            "reasons": [{"code": "test", "message": f"Because of {name}."}],
            "operator": None,
        },
        "quality_drop": None,
        "speed_up": None,
        **more,
    }


RESULT: dict[str, Any] = {
    "schema": "weighbridge.candidates/1",
    "scenario": "alternatives",
    "verdict": {"status": "valid", "reasons": []},
    "metrics": {"alternatives_measured": metric_value(2.0, unit="variants")},
    "manifest": {"digest": "sha256:" + "c" * 64},
    "standings": {"fp32": "dominated (P 0.01)", "int8": "frontier (P 1.00)"},
    "candidates": [
        variant("fp32", "baseline", 0.131),
        variant(
            "int8",
            "worth_it",
            0.064,
            quality_drop={"value": 0.0011, "lower": -0.0008, "upper": 0.0029},
            speed_up={"value": 1.61, "lower": 1.60, "upper": 1.63, "is_tied": False},
        ),
        variant("graph", "no_gain", 0.130, speed_up={"value": 1.0, "lower": 0.99, "upper": 1.02, "is_tied": True}),
        {"name": "fp16", "made_by": "FP16", "metrics": {}, "verdict": {"answer": "failed", "reasons": []}},
    ],
    "charts": [
        {
            "name": "accuracy-latency",
            "title": "Accuracy against latency",
            "alt": "int8 is on the frontier.",
            "svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="2"/></svg>',
        },
    ],
}
