"""The table of cheaper alternatives to a language model, the reasons for each verdict, and a conclusion."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import number, table_of, verdict_lines
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("alternative", "verdict", "pass rate", "loss, points", "USD a request", "USD accepted", "saving, USD")
ANSWERS = {
    VariantAnswer.BASELINE: "baseline",
    VariantAnswer.WORTH_IT: "equivalent and cheaper",
    VariantAnswer.COSTS_QUALITY: "cheaper but worse",
    VariantAnswer.NO_GAIN: "not cheaper",
    VariantAnswer.CANNOT_TELL: "cannot tell",
}


def alternatives_parts(candidates: Candidates, verdict: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the table, the reasons with all intervals, the verdict on the measurement, and the conclusion."""
    yield table_of(
        "Alternatives against the baseline, on the same prompts",
        COLUMNS,
        map(_row, candidates.candidates),
        text_columns=("alternative", "verdict"),
        box=None,
        collapse_padding=True,
    )
    for candidate in candidates.candidates:
        yield from (f"{candidate.name}: {reason.message}" for reason in candidate.verdict.reasons)
    yield from verdict_lines({"verdict": verdict})
    yield _conclusion(candidates)


def _row(candidate: Candidate) -> list[str]:
    drop, saving = candidate.quality_drop, candidate.cost_saving
    return [
        candidate.name,
        ANSWERS[candidate.verdict.answer],
        _value(candidate, "pass_rate"),
        f"{drop.value * 100:.2f}" if drop else "",
        _value(candidate, "cost_per_request_usd"),
        _value(candidate, "cost_per_accepted_usd"),
        f"{saving.value:.3g}" if saving else "",
    ]


def _value(candidate: Candidate, metric: str) -> str:
    estimate = candidate.metrics.get(metric)
    return number(estimate.value) if estimate is not None else ""


def _conclusion(candidates: Candidates) -> str:
    """Name the alternative that saves most of those that are worth it, and others that may save as much."""
    worth = [
        (each.cost_saving, each)
        for each in candidates.candidates
        if each.verdict.answer is VariantAnswer.WORTH_IT and each.cost_saving is not None
    ]
    if not worth:
        return f"No alternative is shown to be as good and cheaper: keep {candidates.baseline}."
    saving, best = max(worth, key=lambda pair: pair[0].value)
    peers = [each.name for other, each in worth if each is not best and other.upper >= saving.lower]
    tied = f" Possibly as cheap: {', '.join(peers)}." if peers else ""
    return f"Take {best.name}: an accepted answer costs {saving.value:.3g} USD less.{tied}"
