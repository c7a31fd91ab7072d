"""The two-halves test and the loop around it."""

import numpy as np
import pytest

from tests.unit.toolkit.builders import Clock
from weighbridge.measure.loops.warmup import halves_agree, warm_up
from weighbridge.measure.scenarios import WarmUp

STEADY = [100.0, 102.0, 98.0, 101.0, 99.0] * 8
HALF = STEADY[:20]


@pytest.mark.parametrize(
    ("values", "agrees"),
    [
        (STEADY, True),
        ([100.0] * 40, True),
        ([500.0, *STEADY[1:]], False),
        ([value * 1.2 for value in HALF] + HALF, False),
        ([value * 0.4 for value in HALF] + HALF, False),
        ([100 + (value - 100) * 2 for value in HALF] + HALF, False),
        ([100.0] * 20 + HALF, False),
        (HALF + [100.0] * 20, False),
        (HALF + [value + 6.5 for value in HALF], False),
    ],
    ids=[
        "steady",
        "constant",
        "first is an outlier",
        "gets faster",
        "gets slower",
        "calms down",
        "wakes",
        "falls still",
        "quartile",
    ],
)
def test_halves_agree(values, agrees):
    assert halves_agree(values) is agrees


def run(latency_ns, **settings):
    clock, asked, ticks = Clock(), [], []

    def infer(index):
        asked.append(index)
        clock.now_ns += latency_ns(index)

    report = warm_up(infer, settings=WarmUp(**settings), clock=clock, on_tick=lambda: ticks.append(clock.now_ns))
    return report, asked, ticks


def test_a_steady_model_is_warm_after_one_window():
    report, asked, ticks = run(lambda _: 2_000_000)
    assert (report.inferences, report.is_settled, report.duration_s) == (40, True, 0.08)
    assert asked == list(range(40))
    assert len(ticks) == 40


def test_a_fast_model_is_timed_in_groups_of_a_millisecond():
    report, asked, ticks = run(lambda _: 100_000)
    assert (report.inferences, len(asked), len(ticks), report.is_settled) == (400, 400, 40, True)


def test_a_model_that_starts_slowly_is_run_until_the_slow_values_left_the_window():
    report, _, _ = run(lambda index: 9_000_000 if index < 12 else 2_000_000)
    assert (report.inferences, report.is_settled) == (55, True)


def test_a_model_that_never_settles_is_given_up_at_the_longest_duration():
    rng = np.random.default_rng(0)
    report, _, _ = run(lambda index: int(2_000_000 + index * 200_000 + rng.integers(0, 9)), max_duration_s=1.0)
    assert report.is_settled is False
    assert 1.0 < report.duration_s < 1.1
