"""Doubts about a load test of a language model, and the metrics that they withhold."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from weighbridge.load.chat.answer_stream import UNKNOWN, StreamEnd
from weighbridge.load.chat.limits import AnswerLimits
from weighbridge.load.chat.results.metrics import PERCENTILES
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.chat.results.times import in_flight
from weighbridge.load.chat.results.tokens import TokenCheck
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.results.metrics import LoadMetrics
from weighbridge.load.results.samples import LoadSamples, RequestOutcome
from weighbridge.load.results.verdict import BUSY, SATURATED
from weighbridge.measure.verdict import MAX_MOVEMENT, Status, ValidityReason
from weighbridge.statistics.trend import mann_kendall

READING_INDICATIVE, READING_INVALID = 0.2, 0.6
MOST_TRUNCATED, MOST_BUSY, MOST_COALESCED = 0.01, 0.01, 0.2
CACHE_SLACK = 0.02
# A gap so many times longer than the usual one.
LONG_GAP = 3
BUNDLED = 1.05
ALPHA, TREND_BLOCKS, FEWEST_PER_BLOCK = 0.01, 30, 5
LATENCIES = ("ttft", "ttft_service", "ttfa", "tpot", "icl", "icl_longest", "response_time", "service_time")
OF_TOKENS = ("tpot",)
PLACEHOLDER = "stream.placeholder"
GOOD, OF_GOOD = "good", ("good_share", "goodput_per_s")
COUNT_CODES = ("tokens.mismatch", "tokens.unknown")
TOKEN_CODES = (*COUNT_CODES, "stream.none", "stream.coalesced")


@dataclasses.dataclass(frozen=True)
class ChatDoubts:
    """The reasons, and for each kind of withheld metric (`tpot`, `ttft`, `good`, …) the code of the reason."""

    reasons: tuple[ValidityReason, ...]
    withheld: dict[str, str]


def doubts_of(
    plan: ChatPlan,
    result: GeneratorResult,
    chat: ChatSamples,
    *,
    check: TokenCheck | None,
    duration_s: float,
    is_steady: bool,
) -> ChatDoubts:
    """Return the doubts about a test; `check` is that of the tokens, `is_steady` a rate that should not rise."""
    reasons = (
        *_reading(result, duration_s),
        *_tokens(result.samples, chat, check),
        *_stream(result.samples, chat),
        *_placeholder(result.samples, chat),
        *_truncated(plan, result.samples, chat),
        *_cache(plan, result.samples, chat),
        *_busy(result.samples),
        *_model(chat),
        *(_saturation(result.samples) if is_steady else ()),
    )
    codes = {reason.code for reason in reasons}
    return ChatDoubts(reasons, {**_withheld(codes), **_withheld_goodput(codes, plan.limits)})


def withhold(metrics: LoadMetrics, withheld: dict[str, str]) -> LoadMetrics:
    """Return the metrics without those that would mislead; each is named among the missing ones with the reason."""
    hidden = {f"{kind}_{p}_ms": code for kind, code in withheld.items() for p in (*PERCENTILES, "p999")}
    hidden |= dict.fromkeys(OF_GOOD, withheld[GOOD]) if GOOD in withheld else {}
    missing = [
        {"metric": name, "message": f"{name} is withheld: see the reason {code}."}
        for name, code in hidden.items()
        if name in metrics.metrics
    ]
    kept = {name: value for name, value in metrics.metrics.items() if name not in hidden}
    return LoadMetrics(kept, [*metrics.missing, *missing])


def _withheld(codes: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for code in TOKEN_CODES:
        found |= dict.fromkeys(OF_TOKENS, code) if code in codes else {}
    if PLACEHOLDER in codes:
        found |= dict.fromkeys(("ttft", "ttft_service", "ttfa"), PLACEHOLDER)
    if "stream.none" in codes:
        found |= dict.fromkeys(("icl", "icl_longest"), "stream.none")
    for code in (BUSY, SATURATED):
        found |= dict.fromkeys(LATENCIES, code) if code in codes else {}
    return found


def _withheld_goodput(codes: set[str], limits: AnswerLimits) -> dict[str, str]:
    """Return the reason why nobody knows which answers kept the limits, if there is one.

    Without a number of tokens, there is no time per token. Tokens that were held back come late, as their user has
    them: with a limit of TTFT or of the whole answer, they are judged by that.
    """
    late = limits.ttft_ms is not None or limits.e2e_ms is not None
    of_tpot = COUNT_CODES if late else TOKEN_CODES
    doubtful = (
        *(of_tpot if limits.tpot_ms is not None else ()),
        *((PLACEHOLDER,) if limits.ttft_ms is not None else ()),
    )
    code = next((code for code in doubtful if code in codes), "")
    return {GOOD: code} if code else {}


def _reading(result: GeneratorResult, duration_s: float) -> Iterator[ValidityReason]:
    share = result.reading_s / max(duration_s, 1.0)
    if share > READING_INDICATIVE:
        status = Status.INVALID if share > READING_INVALID else Status.INDICATIVE
        text = (
            f"Reading the streams took {share:.0%} of a processor; above {READING_INDICATIVE:.0%}, tokens wait here "
            "before they are counted. Use more --processes, or a lower rate."
        )
        yield ValidityReason("client.parse", status, text)


def _tokens(samples: LoadSamples, chat: ChatSamples, check: TokenCheck | None) -> Iterator[ValidityReason]:
    answered = int(samples.answered.sum())
    unknown = int((samples.answered & (chat.output_tokens == UNKNOWN)).sum())
    if unknown:
        text = (
            f"{unknown:,} of {answered:,} answers have no usage, so that nobody knows their tokens: parts of a stream "
            "are no tokens. Give --tokenizer, or let the server send usage (stream_options.include_usage)."
        )
        yield ValidityReason("tokens.unknown", Status.INDICATIVE, text)
    if check is not None and check.is_counted_here:
        text = "The server sent no usage for some answers; their tokens were counted here by the tokenizer."
        yield ValidityReason("tokens.counted", Status.INDICATIVE, text)
    if check is not None and check.differing:
        text = (
            f"For {check.differing:,} of {check.checked:,} answers, usage and tokenizer differ by more than the token "
            f"that ends an answer ({check.first}). One of them is not of this model, or events were lost or repeated."
        )
        yield ValidityReason("tokens.mismatch", Status.INDICATIVE, text)
    is_many = samples.answered & (chat.first_tokens == UNKNOWN) & (chat.output_tokens > BUNDLED * chat.chunks + 1)
    if is_many.sum() > answered / 2:
        text = (
            "The server bundles several tokens in one part, and the tokens of the first part are unknown: the time per "
            "output token assumes one. Give --tokenizer."
        )
        yield ValidityReason("tokens.first_unknown", Status.INDICATIVE, text)


def _stream(samples: LoadSamples, chat: ChatSamples) -> Iterator[ValidityReason]:
    several = samples.answered & (chat.output_tokens > 2)
    at_once = int((several & (chat.chunks <= 1)).sum())
    if at_once > several.sum() / 2:
        text = f"{at_once:,} answers of several tokens came in one part: the server, or a proxy, does not stream them."
        yield ValidityReason("stream.none", Status.INDICATIVE, text)
        return
    parts, together = int(chat.chunks[samples.answered].sum()), int(chat.coalesced[samples.answered].sum())
    if together > MOST_COALESCED * parts:
        text = (
            f"{together / parts:.0%} of the parts came in one read with the part before: the server, the network or "
            "this machine held them back, so that times between tokens are not those of the model."
        )
        yield ValidityReason("stream.coalesced", Status.INDICATIVE, text)


def _placeholder(samples: LoadSamples, chat: ChatSamples) -> Iterator[ValidityReason]:
    """Yield that answers begin with a part that shows nothing, long before the next one."""
    counts = np.diff(chat.gap_ends, prepend=0)
    gaps = chat.gaps_ns
    several = samples.answered & (counts > 1)
    if not several.any():
        return
    first = gaps[(chat.gap_ends - counts)[several]]
    is_early = chat.is_blank_first[several] & (first > LONG_GAP * np.median(gaps))
    if is_early.sum() > samples.answered.sum() / 2:
        text = (
            f"{int(is_early.sum()):,} answers begin with a part that shows nothing, long before the next one. The time "
            "to the first token would be that of a placeholder."
        )
        yield ValidityReason(PLACEHOLDER, Status.INDICATIVE, text)


def _truncated(plan: ChatPlan, samples: LoadSamples, chat: ChatSamples) -> Iterator[ValidityReason]:
    cut = int((samples.answered & (chat.finish == StreamEnd.LENGTH)).sum())
    share = cut / max(1, int(samples.answered.sum()))
    if share > MOST_TRUNCATED and plan.max_tokens is not None and not plan.law:
        text = (
            f"{share:.0%} of the answers were cut at --max-tokens: their end-to-end times and lengths are those of the "
            "limit, and their texts are no answers to score."
        )
        yield ValidityReason("output.truncated", Status.INDICATIVE, text)


def _cache(plan: ChatPlan, samples: LoadSamples, chat: ChatSamples) -> Iterator[ValidityReason]:
    is_known = samples.answered & (chat.cached_tokens != UNKNOWN)
    inputs = int(chat.input_tokens[is_known].sum())
    if not inputs:
        text = (
            "The server does not say how many input tokens its cache served: the time to the first token may be that "
            "of a warm cache. Switch the cache off, or use each prompt once."
        )
        yield ValidityReason("cache.unknown", Status.INDICATIVE, text)
        return
    share, stated = int(chat.cached_tokens[is_known].sum()) / inputs, plan.cached_share
    if share > (stated or 0.0) + CACHE_SLACK:
        status = Status.INVALID if stated is None else Status.INDICATIVE
        expected = "nobody stated a share" if stated is None else f"{stated:.0%} were stated"
        text = (
            f"The cache served {share:.0%} of the input tokens; {expected}. A warm cache makes the first token many "
            "times faster. State what production has with --cached-share, or switch the cache off."
        )
        yield ValidityReason("cache.warm", status, text)


def _busy(samples: LoadSamples) -> Iterator[ValidityReason]:
    busy, n = int(np.equal(samples.outcome, RequestOutcome.BUSY).sum()), int(samples.settled.sum())
    if busy > MOST_BUSY * n:
        text = (
            f"The server refused {busy:,} of {n:,} requests (429 or 503). The others were answered by a server that "
            "sheds load, so that their times say nothing about this rate; goodput counts the refused ones as not good."
        )
        yield ValidityReason(BUSY, Status.INDICATIVE, text)


def _model(chat: ChatSamples) -> Iterator[ValidityReason]:
    if len(chat.models) > 1:
        text = f"The answers come from several models or versions: {'; '.join(chat.models)}. Nothing holds for one."
        yield ValidityReason("model.changed", Status.INVALID, text)


def _saturation(samples: LoadSamples) -> Iterator[ValidityReason]:
    """Yield that ever more requests were in flight in the last two thirds of a test at a steady rate."""
    present = in_flight(samples)
    last: Any = present[len(present) // 3 :]
    size = len(last) // TREND_BLOCKS
    if size < FEWEST_PER_BLOCK:
        return
    blocks = last[: size * TREND_BLOCKS].reshape(TREND_BLOCKS, size).mean(axis=1)
    trend = mann_kendall(blocks)
    if trend.p_value < ALPHA and trend.change > MAX_MOVEMENT:
        text = (
            f"Ever more requests were in flight: {trend.change:+.0%} in the last two thirds of the test (p = "
            f"{trend.p_value:.1g}). The server is saturated at this rate; times would grow with the test, so that only "
            "the goodput is kept."
        )
        yield ValidityReason(SATURATED, Status.INDICATIVE, text)
