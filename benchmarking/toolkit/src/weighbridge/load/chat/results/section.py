"""What a load test of a language model adds to the document of every load test."""

import dataclasses
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.load.chat.answer_stream import StreamEnd
from weighbridge.load.chat.results.dependent_intervals import block_shares
from weighbridge.load.chat.results.metrics import chat_metrics
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.chat.results.times import answer_times, good_answers
from weighbridge.load.chat.results.tokens import TokenCheck
from weighbridge.load.chat.results.verdict import ChatDoubts, doubts_of, withhold
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.results.metrics import LoadMetrics


@dataclasses.dataclass(frozen=True)
class ChatResults:
    """The metrics, the doubts, and the section `streaming` of the document."""

    metrics: LoadMetrics
    doubts: ChatDoubts
    section: dict[str, Any]


def chat_results(
    plan: ChatPlan,
    result: GeneratorResult,
    chat: ChatSamples,
    *,
    check: TokenCheck | None,
    base: LoadMetrics,
    duration_s: float,
    seed: int,
    is_steady: bool,
) -> ChatResults:
    """Return what a test adds to `base`, the metrics of every load test; withheld metrics are missing with a reason."""
    found = chat_metrics(result.samples, chat, limits=plan.limits, duration_s=duration_s, seed=seed)
    doubts = doubts_of(plan, result, chat, check=check, duration_s=duration_s, is_steady=is_steady)
    both = LoadMetrics(base.metrics | found.metrics, [*base.missing, *found.missing])
    kept = withhold(both, doubts.withheld)
    return ChatResults(kept, doubts, _section(plan, result, chat, check, kept))


def _section(
    plan: ChatPlan, result: GeneratorResult, chat: ChatSamples, check: TokenCheck | None, found: LoadMetrics
) -> dict[str, Any]:
    samples = result.samples
    finishes = {kind.name.lower(): int((chat.finish[samples.answered] == kind).sum()) for kind in StreamEnd}
    return {
        "limits": {**dataclasses.asdict(plan.limits), "words": plan.limits.words()},
        "good": _good(plan, result, chat, found),
        "workload": digest_of(workload_of(plan)),
        "models": list(chat.models),
        "finishes": {kind: count for kind, count in finishes.items() if count},
        "tokens": {
            "input": _total(samples.answered, chat.input_tokens),
            "cached": _total(samples.answered, chat.cached_tokens),
            "output": _total(samples.answered, chat.output_tokens),
            "reasoning": _total(samples.answered, chat.reasoning_tokens),
            "checked": check.checked if check is not None else 0,
            "differing": check.differing if check is not None else 0,
        },
        "chunks": {
            "count": int(chat.chunks[samples.answered].sum()),
            "coalesced": int(chat.coalesced[samples.answered].sum()),
        },
    }


def _good(plan: ChatPlan, result: GeneratorResult, chat: ChatSamples, found: LoadMetrics) -> dict[str, Any] | None:
    """Return how many answers kept all limits, also in each block of time; None without limits or answers."""
    good = good_answers(answer_times(result.samples, chat), plan.limits)
    share = found.metrics.get("good_share")
    if good is None or share is None:
        return None
    bounds = {"share": share["value"], "lower": share["lower"], "upper": share["upper"]}
    return {"n": len(good), "good": int(good.sum()), **bounds, "blocks": block_shares(good)}


def workload_of(plan: ChatPlan) -> dict[str, Any]:
    """Return what two tests must share for their rates to be compared: prompts, lengths and the form of requests.

    Prompts of one law are one workload, whatever their seed.
    """
    return {
        "prompts": plan.law or plan.digest,
        "think_s": plan.think_s,
        "max_tokens": plan.max_tokens,
        "parameters": plan.parameters,
        "is_conversation": plan.is_conversation,
    }


def _total(answered: Any, counts: Any) -> int | None:
    """Return the sum of known counts; None if none is known."""
    known = counts[answered & (counts >= 0)]
    return int(known.sum()) if len(known) else None
