"""A deadline: what is left of it, when it is over, and how it is said."""

import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.deadline import Deadline, OutOfTime


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def test_a_deadline_counts_down_to_nothing():
    clock = Clock()
    deadline = Deadline(600.0, clock)
    assert (deadline.left_s, deadline.words()) == (600.0, "at most 10 min left")
    clock.now_s = 580.0
    deadline.check()
    assert (deadline.left_s, deadline.words()) == (120.0, "at most 120 s left")
    clock.now_s = 701.0
    assert deadline.left_s == 0.0
    with pytest.raises(OutOfTime):
        deadline.check()


def test_a_deadline_without_time_is_refused():
    with pytest.raises(Invalid) as refusal:
        Deadline(0.0, Clock())
    assert refusal.value.field == "within"
