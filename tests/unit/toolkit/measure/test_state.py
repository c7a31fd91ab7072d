"""States that are carried from call to call."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.state import StateRunner


class Sum:
    outputs = ("total", "next")

    def infer(self, feed):
        total = feed["state"] + feed["x"]
        return [total * 10, total]


def test_an_output_is_the_input_of_the_next_call():
    runner = StateRunner(Sum(), {"state": "next"}, {"state": np.array(0)})
    assert [int(runner.infer({"x": np.array(x)})[0]) for x in (1, 2, 3)] == [10, 30, 60]


def test_a_failed_call_keeps_the_state():
    runner = StateRunner(Sum(), {"state": "next"}, {"state": np.array(0)})
    runner.infer({"x": np.array(1)})
    with pytest.raises(KeyError):
        runner.infer({})
    assert int(runner.infer({"x": np.array(1)})[0]) == 20


def test_an_output_that_the_model_does_not_have_is_refused():
    with pytest.raises(Invalid, match="no output 'gone' to be a state; its outputs are total, next"):
        StateRunner(Sum(), {"state": "gone"}, {})
