"""Results to log: one profile, and one benchmark of two variants."""


def metric(value, lower=None, upper=None, *, unit="ms", n=1):
    return {"value": value, "lower": lower, "upper": upper, "confidence": 0.99 if lower else None, "n": n, "unit": unit}


PROFILE = {
    "schema": "weighbridge.result/1",
    "scenario": "SingleStream",
    "metrics": {"latency_p95_ms": metric(1.5, 1.4, 1.6, n=3_000), "parameters": metric(12, unit="1")},
    "verdict": {"status": "indicative", "reasons": [{"code": "samples", "message": "Too few."}]},
    "manifest": {
        "digest": "sha256:ab",
        "model": {"digest": "sha256:cd"},
        "settings": {"scenario": {"name": "SingleStream", "threads": 2}, "bootstraps": 100},
    },
}
VARIANTS = {
    "schema": "weighbridge.candidates/1",
    "is_partial": True,
    "baseline": "fp32",
    "candidates": [
        {
            "name": "fp32",
            "made_by": "given",
            "digest": "sha256:cd",
            "metrics": {"accuracy": metric(0.9, 0.88, 0.92, unit="ratio")},
        },
        {
            "name": "int8",
            "made_by": "static INT8",
            "metrics": {"accuracy": metric(0.89, 0.87, 0.91, unit="ratio")},
            "quality_drop": {"metric": "accuracy", "value": 0.01, "lower": 0.0, "upper": 0.02},
            "speed_up": None,
            "verdict": {"answer": "worth_it", "reasons": []},
        },
    ],
}
