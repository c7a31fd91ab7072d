"""The metrics of streamed answers, beside those of every load test."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.chat.answer_stream import UNKNOWN, Finish
from weighbridge.load.chat.limits import Limits
from weighbridge.load.chat.results.dependent_intervals import mean_interval, ratio_interval, share_interval
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.chat.results.times import AnswerTimes, answer_times, gaps_ms, good_answers
from weighbridge.load.results.intervals import BLOCKS, percentile_intervals
from weighbridge.load.results.metrics import LoadMetrics, why_missing
from weighbridge.load.results.samples import LoadSamples
from weighbridge.measure.metrics import NS_PER_MS, interval_metric
from weighbridge.statistics.order_statistics import Interval, failure_interval

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
NS_PER_S = 1e9
TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens")


def chat_metrics(
    samples: LoadSamples, chat: ChatSamples, *, limits: Limits, duration_s: float, seed: int
) -> LoadMetrics:
    """Compute the metrics of streamed answers in a test that sent requests for `duration_s`."""
    times = answer_times(samples, chat)
    metrics: dict[str, dict[str, Any]] = {}
    missing: list[dict[str, str]] = []
    for kind, values in _kinds(samples, chat, times):
        names = {f"{kind}_{p}_ms": at for p, at in PERCENTILES.items()}
        for name, interval in percentile_intervals(values, names, seed=seed).items():
            if interval is not None:
                metrics[name] = interval_metric(interval, "ms")
            else:
                missing.append(why_missing(name, names[name], len(values)))
    shares = dict(_shares(samples, chat))
    found = {**dict(_tokens(samples, chat)), **shares, **dict(_rates(samples, chat, times, limits, duration_s))}
    metrics |= {name: interval_metric(interval, unit) for name, (interval, unit) in found.items()}
    return LoadMetrics(metrics, missing)


def _kinds(samples: LoadSamples, chat: ChatSamples, times: AnswerTimes) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the kinds of time in ms, of users with those without an answer, of the service without them."""
    yield "ttft", times.ttft_ms
    yield "ttft_service", times.ttft_service_ms[times.is_answered]
    if (chat.first_answer_ns > chat.first_ns).any():
        yield "ttfa", times.ttfa_ms
    tpot = times.tpot_ms[~np.isnan(times.tpot_ms)]
    if len(tpot):
        yield "tpot", tpot
    gaps = gaps_ms(samples, chat)
    if len(gaps):
        yield "icl", gaps
    longest = chat.largest_gap_ns[samples.answered & (chat.largest_gap_ns >= 0)] / NS_PER_MS
    if len(longest):
        yield "icl_longest", longest


def _tokens(samples: LoadSamples, chat: ChatSamples) -> Iterator[tuple[str, tuple[Interval, str]]]:
    """Yield the mean tokens of right answers whose tokens are known, and the share of input that a cache served."""
    for name in TOKENS:
        counts = getattr(chat, name)
        known = counts[samples.answered & (counts != UNKNOWN)].astype(np.float64)
        mean = mean_interval(known)
        if mean is not None:
            yield f"{name}_mean", (mean, "tokens")
    is_known = samples.answered & (chat.cached_tokens != UNKNOWN)
    cached, inputs = (each[is_known].astype(np.float64) for each in (chat.cached_tokens, chat.input_tokens))
    share = ratio_interval(cached, inputs)
    if share is not None:
        bounds = Interval(share.value, max(0.0, share.lower), min(1.0, share.upper), share.confidence, share.n)
        yield "cached_token_share", (bounds, "ratio")


def _shares(samples: LoadSamples, chat: ChatSamples) -> Iterator[tuple[str, tuple[Interval, str]]]:
    """Yield the shares of right answers that were cut at the most tokens, and that were refusals."""
    is_refused = chat.is_refused | np.equal(chat.finish, Finish.CONTENT_FILTER)
    for name, mask in (("truncated_rate", np.equal(chat.finish, Finish.LENGTH)), ("refusal_rate", is_refused)):
        interval = failure_interval(int(mask[samples.answered].sum()), int(samples.answered.sum()))
        if interval is not None:
            yield name, (interval, "ratio")


def _rates(
    samples: LoadSamples, chat: ChatSamples, times: AnswerTimes, limits: Limits, duration_s: float
) -> Iterator[tuple[str, tuple[Interval, str]]]:
    """Yield the output tokens per second of the system and of one request, and the goodput."""
    tokens = output_rate(samples, chat, duration_s=duration_s)
    if tokens is not None:
        yield "output_tokens_per_s", (tokens, "1/s")
    speeds = 1e3 / times.tpot_ms[times.tpot_ms > 0]
    speed = percentile_intervals(speeds, {"p50": 0.5}, seed=0)["p50"]
    if speed is not None:
        yield "request_tokens_per_s_p50", (speed, "1/s")
    good = good_answers(times, limits)
    share = share_interval(good) if good is not None else None
    if share is not None and good is not None:
        rate = len(good) / duration_s
        bounds = (share.value * rate, share.lower * rate, share.upper * rate)
        yield "good_share", (share, "ratio")
        yield "goodput_per_s", (Interval(*bounds, share.confidence, share.n), "1/s")


def output_rate(samples: LoadSamples, chat: ChatSamples, *, duration_s: float) -> Interval | None:
    """Return the output tokens of right answers that ended within the test, per second, with a 95 % interval.

    The interval is that of the mean of 50 equal spans of time.
    """
    ended = samples.answered & (chat.output_tokens != UNKNOWN) & (samples.done_ns < duration_s * NS_PER_S)
    if not ended.any():
        return None
    place = np.minimum((samples.done_ns[ended] * BLOCKS / (duration_s * NS_PER_S)).astype(np.int64), BLOCKS - 1)
    tokens = np.bincount(place, weights=chat.output_tokens[ended].astype(np.float64), minlength=BLOCKS)
    rate = mean_interval(tokens * BLOCKS / duration_s)
    return None if rate is None else dataclasses.replace(rate, lower=max(0.0, rate.lower))
