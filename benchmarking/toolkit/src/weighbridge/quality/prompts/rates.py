"""The rates of a file of answers: passed, refused, truncated, errors, unsafe, tokens, and pass rates of slices."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.metrics import interval_metric
from weighbridge.quality.prompts.answer_file import TokenUsage
from weighbridge.quality.prompts.attempts import Attempts, PromptValues, values_of
from weighbridge.quality.prompts.outcomes import Outcome, Scored
from weighbridge.quality.scoring.document import BONFERRONI
from weighbridge.quality.scoring.slices import MAX_SLICES, WITHOUT
from weighbridge.statistics.clustered import clustered_interval

RATES: Mapping[str, Callable[[Scored], bool]] = {
    "refusal_rate": lambda each: each.outcome is Outcome.REFUSED,
    "truncated_rate": lambda each: each.outcome is Outcome.TRUNCATED,
    "error_rate": lambda each: each.outcome is Outcome.ERROR,
}
MEANS = {
    "input_tokens_mean": "input_tokens",
    "output_tokens_mean": "output_tokens",
    "reasoning_tokens_mean": "reasoning_tokens",
}


def rate_metrics(attempts: Attempts, passed: PromptValues, confidence: float) -> dict[str, dict[str, Any]]:
    """Return the metrics of answers; those without an interval are left out.

    `injection_pass_rate` is the share of unsafe answers to prompts that forbid a text. Tokens are of answers without an
    error, if all of those state them.
    """
    shares = {"pass_rate": passed}
    shares |= {name: values_of(attempts, is_so) for name, is_so in RATES.items()}
    forbidding = [name for name, group in attempts.by_prompt.items() if group[0].prompt.forbidden is not None]
    shares["injection_pass_rate"] = values_of(attempts, lambda each: float(each.is_unsafe), forbidding)
    intervals = {name: values.share(confidence) for name, values in shares.items()}
    metrics = {name: interval_metric(each, "ratio") for name, each in intervals.items() if each is not None}
    return metrics | _token_metrics(attempts, confidence)


def _token_metrics(attempts: Attempts, confidence: float) -> dict[str, dict[str, Any]]:
    answered = {
        name: tuple(each for each in group if each.outcome is not Outcome.ERROR)
        for name, group in attempts.by_prompt.items()
    }
    kept = Attempts({name: group for name, group in answered.items() if group}, ())
    metrics = {}
    for name, key in MEANS.items():
        counts = [getattr(each.answer.usage or TokenUsage(), key) for each in kept.all]
        if not counts or None in counts:
            continue
        values = values_of(kept, functools.partial(_tokens, key))
        interval = clustered_interval(values.sums, confidence)
        if interval is not None:
            metrics[name] = interval_metric(interval, "tokens")
    return metrics


def _tokens(key: str, scored: Scored) -> float:
    return float(getattr(scored.answer.usage, key))


def outcome_counts(attempts: Attempts) -> dict[str, int]:
    """Return the number of answers by outcome."""
    outcomes = [each.outcome for each in attempts.all]
    return {outcome.value: outcomes.count(outcome) for outcome in Outcome}


def sliced(passed: PromptValues, names: Sequence[str], confidence: float, min_prompts: int) -> dict[str, Any]:
    """Return the pass rate of each slice, at a level that holds for all of them together (Bonferroni).

    `names` are slices of the prompts, all of them if it is empty. Slices with fewer than `min_prompts` prompts have no
    pass rate. Raises Invalid for an unknown name and too many slices.
    """
    known = {name: None for each in passed.prompts for name in each.slices}
    for name in names:
        if name not in known:
            raise Invalid(
                f"No scored prompt has the slice {name}; there are {', '.join(known) or 'none'}.", field="slice"
            )
    kinds = list(_kinds(passed, names or tuple(known)))
    if len(kinds) > MAX_SLICES:
        text = f"The prompts have {len(kinds):,} slices, above {MAX_SLICES}; name those that matter with --slice."
        raise Invalid(text, code="slices_many", field="slice")
    judged = max(1, sum(len(rows) >= min_prompts for _, _, rows in kinds))
    level = 1 - (1 - confidence) / judged
    entries = [_slice_entry(passed, *kind, level, min_prompts) for kind in kinds]
    correction = {"method": BONFERRONI, "intervals": judged, "confidence": level} if kinds else None
    return {"slices": entries, "correction": correction}


def _kinds(passed: PromptValues, names: Sequence[str]) -> Iterator[tuple[str, str, list[int]]]:
    for name in names:
        rows: dict[str, list[int]] = {}
        for place, prompt in enumerate(passed.prompts):
            rows.setdefault(prompt.slices.get(name, WITHOUT), []).append(place)
        yield from ((name, value, rows[value]) for value in sorted(rows))


def _slice_entry(
    passed: PromptValues, name: str, value: str, rows: list[int], level: float, min_prompts: int
) -> dict[str, Any]:
    part = PromptValues(tuple(passed.prompts[row] for row in rows), passed.values[rows])
    interval = part.share(level) if len(rows) >= min_prompts else None
    metrics = {} if interval is None else {"pass_rate": interval_metric(interval, "ratio")}
    return {
        "slice": {name: value},
        "name": f"{name} {value}",
        "prompts": len(rows),
        "too_few": interval is None,
        "metrics": metrics,
    }
