"""Runs by rate: what counts as another run, and what is refused."""

import math

import pytest

from tests.refusals import has_code
from tests.unit.toolkit.load.capacity.builders import runs
from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.measured_runs import MeasuredRun, runs_by_rate


def run(**changes):
    return MeasuredRun(**{"rate_per_s": 1.0, "share": 0.5, "n": 100, "seed": 1, **changes})


def test_runs_are_grouped_by_rate_the_lowest_first():
    groups = runs_by_rate([run(rate_per_s=2.0), run(seed=2, share=0.8, n=300), run()])
    assert [group.rate_per_s for group in groups] == [1.0, 2.0]
    assert (groups[0].seeds, groups[0].requests, groups[0].share) == (2, 400, pytest.approx((240 + 50) / 400))


def test_runs_with_one_seed_are_one_run():
    (group,) = runs_by_rate([run(share=0.9, n=300, blocks=(0.9, 0.9)), run(share=0.5, n=100)])
    assert group.runs == (run(share=0.8, n=400),)


def test_a_rounding_error_is_no_share_above_one():
    (group,) = runs_by_rate([run(share=1.0, n=n) for n in (3, 7, 11)])
    assert group.runs[0].share == 1.0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rate_per_s": 0.0}, "rate"),
        ({"rate_per_s": math.inf}, "rate"),
        ({"rate_per_s": math.nan}, "rate"),
        ({"share": 1.01}, "good"),
        ({"share": math.nan}, "good"),
        ({"blocks": (0.5, -0.1)}, "good"),
        ({"n": 0}, "n"),
        ({"blocks": (0.5,) * 1_001}, "blocks"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes, field):
    with pytest.raises(Invalid) as refused:
        run(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "runs_missing"),
        (runs({1.0: (0.5,) * 1_001}), "runs_many"),
        (runs({1.0 + rate: (0.5,) for rate in range(51)}), "rates_many"),
    ],
)
def test_no_runs_and_too_many_are_refused(given, code):
    with pytest.raises(Invalid, check=has_code(code)):
        runs_by_rate(given)
