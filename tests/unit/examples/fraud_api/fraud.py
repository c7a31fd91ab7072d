"""The case of the fraud detector in its smallest size, and records of its steps as they would come out."""

from examples.fraud_api.settings import FraudSettings

TINY = FraudSettings(
    rows=2_000,
    unlabeled=2_000,
    test_rows=6_000,
    pretrain_epochs=1,
    epochs={"b": 1, "c": 2},
    rate_per_s=150.0,
    seconds=2.0,
    draws=300,
)


def bounded(value: float, half: float, n: int = 1_000) -> dict:
    return {"value": value, "lower": value - half, "upper": value + half, "confidence": 0.95, "n": n, "unit": "ms"}


def training(recall: float, *, parameters: int = 961) -> dict:
    return {
        "parameters": parameters,
        "passes": 400_000,
        "rows_per_s": 20_000.0,
        "digest": "sha256:ab",
        "recall": bounded(recall, 0.02),
    }


def load_record(p95_ms: float, *, mean_s: float = 3e-4, status: str = "valid") -> dict:
    metrics = {f"response_time_{name}_ms": bounded(p95_ms * by, 1.0) for name, by in (("p50", 0.5), ("p95", 1.0))}
    rate = {"value": 998.0, "lower": 990.0, "upper": 1_006.0}
    failed = {"value": 0.001, "lower": 0.0005, "upper": 0.002}
    reasons = (
        [] if status == "valid" else [{"code": "generator.lag", "status": status, "message": "The generator was late."}]
    )
    load = {
        "metrics": {**metrics, "achieved_per_s": rate, "error_rate": failed},
        "verdict": {"status": status, "reasons": reasons},
    }
    return {"load": load, "timings": {"answered": 20_000, "mean_s": mean_s, "cv": 0.4}, "attempts": 1}


TRAININGS = {"b": training(0.72, parameters=2_738), "c": training(0.69)}
TESTS = {"a": load_record(142), "b": load_record(6), "c": load_record(4, mean_s=1e-4)}
