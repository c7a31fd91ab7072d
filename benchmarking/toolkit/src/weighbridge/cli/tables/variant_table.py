"""Variants compared with their baseline: a table, the reasons for each verdict, and a one-line conclusion."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("variant", "verdict", "speed-up", "loss", "accuracy", "p50 ms", "MB")


def candidates_parts(candidates: Candidates, *, left_out: Sequence[str] = ()) -> "Iterator[Table | str]":
    """Yield the table, the reasons for each verdict with all intervals, the skipped variants, and the conclusion."""
    # Loss is in points of accuracy. Without borders the table fits into 80 columns and no name is truncated.
    yield table_of(
        "Variants against the baseline",
        COLUMNS,
        map(_row, candidates.candidates),
        text_columns=("variant", "verdict"),
        box=None,
        collapse_padding=True,
    )
    for candidate in candidates.candidates:
        yield from (f"{candidate.name}: {reason.message}" for reason in candidate.verdict.reasons)
    yield from left_out
    yield conclusion(candidates)


def _row(candidate: Candidate) -> list[str]:
    drop, speed = candidate.quality_drop, candidate.speed_up
    return [
        candidate.name,
        candidate.verdict.answer.value.replace("_", " "),
        ("tied" if speed.is_tied else f"{speed.value:.2f}") if speed else "",
        f"{drop.value * 100:.2f}" if drop else "",
        *(_value(candidate, metric) for metric in ("accuracy", "latency_p50_ms", "model_size_mb")),
    ]


def _value(candidate: Candidate, metric: str) -> str:
    estimate = candidate.metrics.get(metric)
    return number(estimate.value) if estimate is not None else ""


def conclusion(candidates: Candidates) -> str:
    """Name the fastest variant that is worth it, and the variants that may be as fast.

    A variant may be as fast if the interval of its speed-up overlaps the interval of the fastest.
    """
    worth = [candidate for candidate in candidates.candidates if candidate.verdict.answer is VariantAnswer.WORTH_IT]
    if not worth:
        return f"No variant is worth it: keep {candidates.baseline}."
    best = max(worth, key=lambda each: (each.speed_up.value if each.speed_up else 0.0, each.size_saved_ratio or 0.0))
    speed = f"{best.speed_up.value:.2f} times as fast" if best.speed_up else "speed unknown"
    saved = f", {best.size_saved_ratio:.0%} smaller" if best.size_saved_ratio else ""
    lost = f", at most {best.quality_drop.upper * 100:.2f} points of accuracy lost" if best.quality_drop else ""
    peers = [each.name for each in worth if each is not best and _overlaps(each, best)]
    tied = f" Possibly as fast: {', '.join(peers)}." if peers else ""
    return f"Take {best.name}: {speed}{saved}{lost}.{tied}"


def _overlaps(other: Candidate, best: Candidate) -> bool:
    return other.speed_up is not None and best.speed_up is not None and other.speed_up.upper >= best.speed_up.lower
