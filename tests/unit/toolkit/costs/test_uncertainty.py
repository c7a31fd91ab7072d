"""Uncertainty: ranges are lognormals whose 5th and 95th percentiles are their ends."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import drawn
from weighbridge.core.errors import Invalid
from weighbridge.costs.uncertainty import Amount, Range, levels_of, probability_above


@dataclasses.dataclass(frozen=True)
class Spec:
    hours: Amount
    price: Amount
    label: str = "x"


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


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 1), (1, math.inf), (math.nan, 1)])
def test_what_is_no_range_is_refused(low, high):
    with pytest.raises(Invalid, match="A range goes from a positive number"):
        Range(low, high)


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
