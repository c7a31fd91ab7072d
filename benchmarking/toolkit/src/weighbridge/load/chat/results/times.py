"""The times of streamed answers, by request: to the first token, for each other token, between parts, and in all.

Times of users count from the moment at which a request was due. Those from sending it, which most tools report, hide
the wait before it, and are additional.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.chat.answer_stream import UNKNOWN
from weighbridge.load.chat.limits import AnswerLimits
from weighbridge.load.chat.results.samples import ChatSamples
from weighbridge.load.results.intervals import UNANSWERED_MS
from weighbridge.load.results.samples import NEVER, LoadSamples
from weighbridge.measure.metrics import NS_PER_MS


@dataclasses.dataclass(frozen=True)
class AnswerTimes:
    """Arrays (settled requests,) in order of the schedule, in ms; UNANSWERED_MS without a right answer.

    `tpot_ms` is NaN for an answer without a second token, and where tokens are unknown. `is_answered` says which
    requests were answered, `is_counted` whose tokens are known.
    """

    ttft_ms: NDArray[np.float64]
    ttft_service_ms: NDArray[np.float64]
    ttfa_ms: NDArray[np.float64]
    tpot_ms: NDArray[np.float64]
    e2e_ms: NDArray[np.float64]
    is_answered: NDArray[np.bool_]
    is_counted: NDArray[np.bool_]


def answer_times(samples: LoadSamples, chat: ChatSamples) -> AnswerTimes:
    """Return the times of the settled requests.

    An answer without any token, because a filter stopped it, has its first token where it ends.
    TPOT = (finish - first) / (N - tokens of the first part), with N output tokens; the first part has one token unless
    its tokens are known. It equals the mean gap between tokens, however the server bundles them.
    """
    settled, answered = samples.settled, samples.answered
    first = np.where(chat.first_ns == NEVER, chat.finish_ns, chat.first_ns)
    begun = np.where(chat.first_answer_ns == NEVER, first, chat.first_answer_ns)
    times = {
        "ttft_ms": first - samples.scheduled_ns,
        "ttft_service_ms": first - samples.sent_ns,
        "ttfa_ms": begun - samples.scheduled_ns,
        "e2e_ms": samples.done_ns - samples.scheduled_ns,
    }
    return AnswerTimes(
        **{name: _of_answers(each, answered)[settled] for name, each in times.items()},
        tpot_ms=tpot_ms(samples, chat)[settled],
        is_answered=answered[settled],
        is_counted=(chat.output_tokens != UNKNOWN)[settled],
    )


def tpot_ms(samples: LoadSamples, chat: ChatSamples) -> NDArray[np.float64]:
    """Return the time for each output token after the first part, in ms; NaN where there is none or nobody counted."""
    others = chat.output_tokens - np.maximum(chat.first_tokens, 1)
    is_known = samples.answered & (chat.output_tokens > 0) & (chat.first_ns != NEVER) & (others > 0)
    spans = np.where(is_known, chat.finish_ns - chat.first_ns, 0) / NS_PER_MS
    return np.where(is_known, spans / np.maximum(others, 1), np.nan)


def good_answers(times: AnswerTimes, limits: AnswerLimits) -> NDArray[np.bool_] | None:
    """Return which settled requests were answered within all limits; a request without an answer never is.

    An answer without a second token has no TPOT to miss; one whose tokens nobody counted keeps no limit of TPOT. None
    without limits.
    """
    if not limits.is_some:
        return None
    good = times.is_answered & (times.is_counted if limits.tpot_ms is not None else True)
    for values, limit in (
        (times.ttft_ms, limits.ttft_ms),
        (times.tpot_ms, limits.tpot_ms),
        (times.e2e_ms, limits.e2e_ms),
    ):
        if limit is not None:
            good &= ~(values > limit)
    return good


def gaps_ms(samples: LoadSamples, chat: ChatSamples) -> NDArray[np.float64]:
    """Return the times between the parts of right answers, in ms, in order of the schedule."""
    counts = np.diff(np.concatenate([[0], chat.gap_ends]))
    return np.asarray(chat.gaps_ns[np.repeat(samples.answered, counts)] / NS_PER_MS, dtype=np.float64)


def in_flight(samples: LoadSamples) -> NDArray[np.float64]:
    """Return how many requests were due and not done when each settled request became due, itself included."""
    due, done = samples.scheduled_ns[samples.settled], np.sort(samples.done_ns[samples.settled])
    return np.asarray(np.arange(1, len(due) + 1) - np.searchsorted(done, due, side="right"), dtype=np.float64)


def _of_answers(times_ns: NDArray[np.int64], answered: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(answered, times_ns / NS_PER_MS, UNANSWERED_MS)
