"""What a person sees of a finished series: a table of the candidates, the reasons, and one line that concludes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("variant", "verdict", "speed-up", "loss", "accuracy", "p50 ms", "MB")


def candidates_parts(found: Candidates, *, left_out: Sequence[str] = ()) -> "Iterator[Table | str]":
    """Yield the table, why each verdict is what it is with all intervals, what was left out, and the conclusion.

    The loss is in points of accuracy: 1 is one of a hundred rows.
    """
    # Without lines it fits into eighty columns with every name whole.
    yield table_of(
        "Variants against the baseline",
        COLUMNS,
        map(_row, found.candidates),
        words=("variant", "verdict"),
        box=None,
        collapse_padding=True,
    )
    for candidate in found.candidates:
        yield from (f"{candidate.name}: {reason.message}" for reason in candidate.verdict.reasons)
    yield from left_out
    yield conclusion(found)


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


def conclusion(found: Candidates) -> str:
    """Say in one line which variant to take, the fastest of those that are worth it, and which are no slower than it.

    Those are the others whose interval of the speed-up reaches into its own.
    """
    worth = [each for each in found.candidates if each.verdict.answer is VariantAnswer.WORTH_IT]
    if not worth:
        return f"No variant is worth it: keep {found.baseline}."
    best = max(worth, key=lambda each: (each.speed_up.value if each.speed_up else 0.0, each.size_saved_ratio or 0.0))
    speed = f"{best.speed_up.value:.2f} times as fast" if best.speed_up else "of unknown speed"
    saved = f", {best.size_saved_ratio:.0%} smaller" if best.size_saved_ratio else ""
    lost = f", at most {best.quality_drop.upper * 100:.2f} points of accuracy lost" if best.quality_drop else ""
    peers = [each.name for each in worth if each is not best and _reaches(each, best)]
    tied = f" As fast, as far as can be told: {', '.join(peers)}." if peers else ""
    return f"Take {best.name}: {speed}{saved}{lost}.{tied}"


def _reaches(other: Candidate, best: Candidate) -> bool:
    return other.speed_up is not None and best.speed_up is not None and other.speed_up.upper >= best.speed_up.lower
