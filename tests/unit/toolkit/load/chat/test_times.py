"""Times of streamed answers: from due and from sent, by token, and which answers keep the limits."""

import math

import numpy as np
import pytest

from tests.unit.toolkit.load.chat.streams import chat_samples, load_samples
from weighbridge.load.chat.limits import AnswerLimits
from weighbridge.load.chat.results.times import answer_times, gaps_ms, good_answers, in_flight
from weighbridge.load.results.intervals import UNANSWERED_MS
from weighbridge.load.results.samples import RequestOutcome

FAILED = RequestOutcome.BUSY


def test_the_first_token_counts_from_due_and_beside_it_from_sent():
    samples = load_samples([0, 100], [500, 700], sent_ms=[40, 100])
    times = answer_times(samples, chat_samples(2, first_ms=[90, 160], first_answer_ms=[120, 160], finish_ms=[490, 690]))
    assert times.ttft_ms.tolist() == [90, 60]
    assert times.ttft_service_ms.tolist() == [50, 60]
    assert times.ttfa_ms.tolist() == [120, 60]
    assert times.e2e_ms.tolist() == [500, 600]


def test_a_request_without_a_right_answer_is_slower_than_any():
    samples = load_samples([0, 0], [5, 500], outcome=[FAILED, RequestOutcome.CHECKED])
    times = answer_times(samples, chat_samples(2, first_ms=[1, 50], finish_ms=[2, 450]))
    assert times.ttft_ms.tolist() == [UNANSWERED_MS, 50]
    assert times.e2e_ms.tolist() == [UNANSWERED_MS, 500]


def test_a_request_that_was_not_settled_has_no_times():
    samples = load_samples([0, 1], [5, 5], outcome=[RequestOutcome.UNSETTLED, RequestOutcome.CHECKED])
    assert len(answer_times(samples, chat_samples(2)).ttft_ms) == 1


def test_a_filtered_answer_begins_where_it_ends():
    times = answer_times(load_samples([0], [30]), chat_samples(1, finish_ms=[20]))
    assert (times.ttft_ms.tolist(), times.ttfa_ms.tolist()) == ([20], [20])


@pytest.mark.parametrize(
    ("output", "first_tokens", "expected"),
    [(11, -1, 10.0), (11, 1, 10.0), (11, 3, 12.5), (1, -1, math.nan), (3, 3, math.nan), (-1, -1, math.nan)],
)
def test_the_time_of_a_token_counts_those_after_the_first_part(output, first_tokens, expected):
    chat = chat_samples(1, first_ms=[50], finish_ms=[150], output_tokens=[output], first_tokens=[first_tokens])
    assert answer_times(load_samples([0], [150]), chat).tpot_ms.tolist() == pytest.approx([expected], nan_ok=True)


@pytest.mark.parametrize("bundle", [1, 2, 3, 4, 5])
def test_bundling_does_not_change_the_time_of_a_token(bundle):
    """20 tokens, one each 10 ms, in parts that arrive with their last token."""
    n, arrivals = 20, [(bundle * (part + 1)) * 10.0 for part in range(20 // bundle)]
    known = {"first_ms": [arrivals[0]], "finish_ms": [arrivals[-1]], "output_tokens": [bundle * len(arrivals)]}
    right = answer_times(load_samples([0], [n * 10]), chat_samples(1, **known, first_tokens=[bundle])).tpot_ms[0]
    assumed = answer_times(load_samples([0], [n * 10]), chat_samples(1, **known)).tpot_ms[0]
    assert right == pytest.approx(10.0)
    assert (assumed < right) == (bundle > 1)


def times_of_four():
    """A good answer, a late first token, slow tokens, and a failure."""
    samples = load_samples([0] * 4, [300] * 4, outcome=[RequestOutcome.CHECKED] * 3 + [FAILED])
    chat = chat_samples(4, first_ms=[100, 101, 100, 1], finish_ms=[300, 301, 302, 2], output_tokens=[21] * 4)
    return answer_times(samples, chat)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (AnswerLimits(), None),
        (AnswerLimits(ttft_ms=100), [True, False, True, False]),
        (AnswerLimits(tpot_ms=10), [True, True, False, False]),
        (AnswerLimits(ttft_ms=100, tpot_ms=10), [True, False, False, False]),
        (AnswerLimits(e2e_ms=300), [True, True, True, False]),
        (AnswerLimits(e2e_ms=299), [False] * 4),
    ],
)
def test_limits_are_inclusive_and_a_failure_keeps_none(limits, expected):
    good = good_answers(times_of_four(), limits)
    assert (None if good is None else good.tolist()) == expected


def test_one_token_has_no_second_one_to_be_late():
    times = answer_times(load_samples([0], [60]), chat_samples(1, first_ms=[50], finish_ms=[60]))
    assert good_answers(times, AnswerLimits(tpot_ms=1)).tolist() == [True]


def test_an_answer_whose_tokens_nobody_counted_keeps_no_limit_of_them():
    """A server that sends no usage does not pass a limit for it."""
    times = answer_times(load_samples([0], [60]), chat_samples(1, first_ms=[50], finish_ms=[60], output_tokens=[-1]))
    assert good_answers(times, AnswerLimits(tpot_ms=1000)).tolist() == [False]
    assert good_answers(times, AnswerLimits(ttft_ms=50)).tolist() == [True]


def test_gaps_are_those_of_right_answers():
    samples = load_samples([0, 0, 0], [1, 1, 1], outcome=[RequestOutcome.CHECKED, FAILED, RequestOutcome.CHECKED])
    chat = chat_samples(3)
    gaps = {"gaps_ns": np.array([1, 2, 3, 4, 5]) * 1_000_000, "gap_ends": np.array([2, 4, 5])}
    assert gaps_ms(samples, type(chat)(**{**vars(chat), **gaps})).tolist() == [1, 2, 5]


def test_requests_in_flight_are_counted_when_one_is_due():
    assert in_flight(load_samples([0, 10, 20, 30], [15, 25, 40, 50])).tolist() == [1, 2, 2, 2]
