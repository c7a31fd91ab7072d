"""Uncertainty: a range has the law that fits it, and its ends are the 5th and 95th percentiles."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import drawn
from weighbridge.core.errors import Invalid
from weighbridge.costs.uncertainty import (
    Amount,
    Bounds,
    Change,
    Range,
    Share,
    Signed,
    bounds_of,
    check_amounts,
    levels_of,
    probability_above,
)


@dataclasses.dataclass(frozen=True)
class Spec:
    hours: Amount
    price: Amount
    label: str | None = "x"
    part: Share = 0.5
    growth: Change = 0.0
    gain: Signed = 0.0
    perhaps: Amount | None = None


SHARE = Bounds(0.0, 1.0)
SPEC = Spec(hours=Range(80, 125), price=Range(1, 4))


@given(st.floats(1e-6, 1e9), st.floats(1, 1e3))
def test_the_ends_are_the_5th_and_95th_percentiles(low, factor):
    spread = Range(low, low * factor)
    assert spread.quantile(0.05) == pytest.approx(spread.low, rel=1e-6)
    assert spread.quantile(0.95) == pytest.approx(spread.high, rel=1e-6)
    assert spread.quantile(0.5) == pytest.approx(spread.median)


def test_draws_follow_the_law():
    draws = Range(80, 125).draw(np.random.default_rng(1), 200_000)
    assert np.quantile(draws, [0.05, 0.5, 0.95]) == pytest.approx([80, 100, 125], rel=0.005)


@given(st.floats(-1e6, 0), st.floats(1e-3, 1e6))
def test_a_range_from_zero_or_below_is_normal_and_keeps_its_ends(low, width):
    spread = Range(low, low + width)
    assert spread.law == ("normal, at least 0" if low == 0 else "normal")
    assert spread.quantile(0.05) == pytest.approx(low, abs=1e-9 * (abs(low) + width))
    assert spread.quantile(0.95) == pytest.approx(low + width, abs=1e-6 * (abs(low) + width))
    assert spread.quantile(0.5) == pytest.approx(spread.median) == pytest.approx(low + width / 2)


def test_a_range_from_zero_never_draws_a_negative_number():
    draws = Range(0, 10).draw(np.random.default_rng(1), 200_000)
    assert draws.min() == 0
    assert np.quantile(draws, [0.05, 0.5, 0.95]) == pytest.approx([0, 5, 10], abs=0.05)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 100))
def test_a_share_is_drawn_between_zero_and_one_and_keeps_its_ends(one, other, seed):
    spread = Range(min(one, other), max(one, other)).within(SHARE)
    draws = spread.draw(np.random.default_rng(seed), 1_000)
    assert (draws >= 0).all()
    assert (draws <= 1).all()
    assert [spread.quantile(p) for p in (0.05, 0.95)] == pytest.approx([spread.low, spread.high])


def test_a_change_is_never_less_than_all():
    draws = Range(-0.9, 0.9).within(bounds_of(Spec)["growth"]).draw(np.random.default_rng(1), 100_000)
    assert draws.min() == -1


@pytest.mark.parametrize(
    ("spread", "law"),
    [
        (Range(1, 2), "lognormal"),
        (Range(0.1, 0.9).within(SHARE), "lognormal, at most 1"),
        (Range(0, 0.9).within(SHARE), "normal, at least 0, at most 1"),
        (Range(-0.1, 0.2).within(Bounds(-1.0)), "normal, at least -1"),
        (Range(-5, 3), "normal"),
    ],
)
def test_every_law_has_a_name(spread, law):
    assert spread.law == law


@pytest.mark.parametrize(("low", "high"), [(2, 1), (1, math.inf), (-math.inf, 1), (math.nan, 1)])
def test_what_is_no_range_is_refused(low, high):
    with pytest.raises(Invalid, match="A range goes from a number to one that is not smaller"):
        Range(low, high)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hours": -1}, "hours must be a number of zero or more, not -1."),
        ({"hours": Range(-1, 1)}, "hours must be a number of zero or more, not -1 to 1."),
        ({"hours": math.nan}, "hours must be a number of zero or more, not nan."),
        ({"hours": True}, "hours must be a number or a range of two, not True."),
        ({"hours": None}, "hours must be a number or a range of two, not None."),
        ({"part": 1.1}, "part must be a share between 0 and 1, not 1.1."),
        ({"part": Range(0.5, 1.5)}, "part must be a share between 0 and 1, not 0.5 to 1.5."),
        ({"growth": Range(-2, 0)}, "growth must be a number of -1 or more, not -2 to 0."),
        ({"gain": math.inf}, "gain must be a number, not inf."),
    ],
)
def test_amounts_out_of_their_bounds_are_refused(change, reason):
    spec = dataclasses.replace(SPEC, **change)
    with pytest.raises(Invalid) as refused:
        check_amounts(spec)
    assert (refused.value.reason, refused.value.field) == (reason, next(iter(change)))


def test_amounts_within_their_bounds_are_accepted():
    spec = dataclasses.replace(
        SPEC, part=Range(0, 1), growth=-1, gain=Range(-5, -1), hours=np.array([-1.0]), label=None
    )
    assert check_amounts(spec) is None


def test_the_same_seed_draws_the_same_and_fields_do_not_disturb_each_other():
    one, two = drawn(SPEC, n=100, seed=5), drawn(dataclasses.replace(SPEC, price=3.0), n=100, seed=5)
    assert (one.hours == two.hours).all()
    assert two.price == 3.0
    assert (drawn(SPEC, n=100, seed=6).hours != one.hours).all()
    assert one.label == "x"


def test_a_product_of_lognormals_is_the_lognormal_that_theory_says():
    spec = drawn(SPEC, n=200_000)
    sigma = math.hypot(math.log(125 / 80), math.log(4)) / (2 * 1.6448536269514722)
    levels = levels_of(spec.hours * spec.price)
    assert levels["p50"] == pytest.approx(200, rel=0.01)
    assert levels["p90"] == pytest.approx(200 * math.exp(1.2815515655446004 * sigma), rel=0.01)
    assert levels["p10"] == pytest.approx(200 / math.exp(1.2815515655446004 * sigma), rel=0.01)
    assert levels["p80"] == pytest.approx(200 * math.exp(0.8416212335729143 * sigma), rel=0.01)
    assert probability_above(spec.hours * spec.price, 200) == pytest.approx(0.5, abs=0.01)


def test_a_plain_number_is_its_own_every_level():
    assert levels_of(7.0) == {"p10": 7, "p50": 7, "p80": 7, "p90": 7}
    assert (probability_above(7.0, 6), probability_above(7.0, 7)) == (1, 0)
