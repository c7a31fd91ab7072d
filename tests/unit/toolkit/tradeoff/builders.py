"""Candidates as tests need them: estimates around a value, with or without an interval."""

import json
from pathlib import Path

from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.candidates import (
    Candidate,
    Candidates,
    Estimate,
    Measurement,
    VariantAnswer,
    VariantVerdict,
    VerdictReason,
)

UNITS = {
    "accuracy": "ratio",
    "f1_macro": "ratio",
    "model_size_mb": "MB",
    "latency_p50_ms": "ms",
    "latency_p95_ms": "ms",
}


def estimate(value: float, half: float | None = None, *, unit: str = "1", n: int = 1_000) -> Estimate:
    """An estimate with `value ± half` at 95 %, or without an interval."""
    if half is None:
        return Estimate(value, None, None, None, 1, unit)
    return Estimate(value, value - half, value + half, 0.95, n, unit)


def candidate(name: str, *, answer: VariantAnswer = VariantAnswer.WORTH_IT, **estimates) -> Candidate:
    """A candidate; each estimate is a number, or a pair of value and half width."""
    metrics = {
        key: estimate(*(given if isinstance(given, tuple) else (given,)), unit=UNITS.get(key, "1"))
        for key, given in estimates.items()
        if key not in FIELDS
    }
    fields = {key: given for key, given in estimates.items() if key in FIELDS}
    fields.setdefault("measurement", Measurement(Status.VALID))
    return Candidate(
        name=name, family="cnn", made_by=f"made as {name}", metrics=metrics, verdict=VariantVerdict(answer), **fields
    )


FIELDS = {
    "file",
    "digest",
    "quality_drop",
    "speed_up",
    "size_saved_ratio",
    "memory_saved_ratio",
    "measurement",
    "samples",
    "result_file",
}


def indicative(message: str = "Other work used 1.9 of 2 processors during the run.") -> Measurement:
    """Estimates with a doubt beside them."""
    return Measurement(Status.INDICATIVE, (VerdictReason("interference.processors", message),))


def candidates(*members: Candidate, baseline: str | None = None, **rest) -> Candidates:
    """The members of one choice; the first is the baseline unless another is named."""
    return Candidates(
        measured_at="2026-11-25T03:00:00+00:00", baseline=baseline or members[0].name, candidates=members, **rest
    )


def candidates_file(path: Path) -> Path:
    """A candidates file of three, one of which nobody would take."""
    choice = candidates(
        candidate(
            "fp32", answer=VariantAnswer.BASELINE, accuracy=(0.90, 0.006), latency_p95_ms=(8, 0.2), model_size_mb=9
        ),
        candidate("int8", accuracy=(0.89, 0.006), latency_p95_ms=(1, 0.1), model_size_mb=2.5),
        candidate("int8-dynamic", accuracy=(0.86, 0.001), latency_p95_ms=(20, 0.1), model_size_mb=2.6),
    )
    path.write_text(json.dumps(choice.as_document()))
    return path


def points_file(path: Path) -> Path:
    """The points of a learning curve whose truth is known."""
    path.write_text(
        "rows,accuracy\n"
        + "".join(f"{rows},{0.95 - 2 * rows**-0.5:.4f}\n" for rows in (500, 1_000, 2_000, 4_000, 8_000))
    )
    return path
