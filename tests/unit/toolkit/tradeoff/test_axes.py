"""Axes: which way is better, by name or as said."""

import pytest

from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.axes import DEFAULT_AXES, Axis, AxisDirection, axes_of, axis_of


def test_the_direction_follows_from_the_name_or_is_said() -> None:
    assert axis_of("accuracy") == Axis("accuracy", AxisDirection.MAX)
    assert axis_of("latency_p95_ms") == Axis("latency_p95_ms", AxisDirection.MIN)
    assert axis_of("joules:min").sign == 1
    assert axis_of("wit:max").sign == -1
    assert [axis.sign for axis in axes_of(DEFAULT_AXES)] == [-1, 1, 1]


@pytest.mark.parametrize("text", ["joules", "accuracy:up", ""])
def test_an_unknown_direction_is_asked_for(text) -> None:
    with pytest.raises(Invalid, check=has_code("axis")):
        axis_of(text)


@pytest.mark.parametrize("texts", [[], ["accuracy", "accuracy:max"]])
def test_each_axis_is_named_once(texts) -> None:
    with pytest.raises(Invalid, check=has_code("axis")):
        axes_of(texts)
