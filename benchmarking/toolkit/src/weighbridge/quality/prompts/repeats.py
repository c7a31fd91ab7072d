"""Repeated attempts: pass@k, and how often a model answers the same prompt differently."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from weighbridge.measure.metrics import interval_metric
from weighbridge.quality.prompts.attempts import Attempts, PromptValues, values_of
from weighbridge.quality.prompts.outcomes import Outcome, Scored, Scoring
from weighbridge.statistics.order_statistics import Interval


def pass_at(n: int, passed: int, k: int) -> float:
    """Return the probability that one of k attempts passes, estimated without bias from `passed` of n attempts.

    1 - C(n - passed, k) / C(n, k) (Chen and others 2021, arXiv 2107.03374). It needs n >= k.
    """
    return 1 - math.comb(n - passed, k) / math.comb(n, k)


def repeats_of(attempts: Attempts, scoring: Scoring, confidence: float) -> Mapping[str, Any] | None:
    """Return pass@1, pass@k and the share of prompts whose answers differ; None unless a prompt has two answers.

    k is the smallest number of attempts of the prompts that have several; prompts with a single one have no part.
    """
    repeated = {name: group for name, group in attempts.by_prompt.items() if len(group) > 1}
    if not repeated:
        return None
    k = min(map(len, repeated.values()))
    scored = [name for name, group in repeated.items() if scoring.has_scorer(group[0].prompt)]
    chances = {1: _chances(attempts, scored, 1), k: _chances(attempts, scored, k)}
    different = PromptValues(
        tuple(group[0].prompt for group in repeated.values()),
        np.array([float(len(set(map(_content, group))) > 1) for group in repeated.values()]),
    )
    return {
        "prompts": len(repeated),
        "attempts": k,
        "pass_at": {str(count): _metric(each.share(confidence)) for count, each in chances.items()},
        "different": _metric(different.share(confidence)),
    }


def _chances(attempts: Attempts, names: list[str], k: int) -> PromptValues:
    of_prompts = values_of(attempts, lambda each: each.outcome is Outcome.PASSED, names)
    groups = [attempts.by_prompt[name] for name in names]
    passed = [sum(each.outcome is Outcome.PASSED for each in group) for group in groups]
    chances = [pass_at(len(group), count, k) for group, count in zip(groups, passed, strict=True)]
    return PromptValues(of_prompts.prompts, np.array(chances))


def _content(scored: Scored) -> tuple[object, ...]:
    answer = scored.answer
    return (answer.text, answer.tool_calls, answer.refusal)


def _metric(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval_metric(interval, "ratio")
