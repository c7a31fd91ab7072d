"""Training: hand-worked metrics, and that more of anything never costs less."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import drawn
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts import training
from weighbridge.costs.parts.training import Training, training_cost
from weighbridge.costs.uncertainty import Range


def test_the_stretch_of_spot_by_hand():
    assert training.spot_stretch(0.05, checkpoint_every_h=2, restart_h=0.2) == pytest.approx(1.06)


SPEC = Training(
    gpu_hours=100,
    usd_per_gpu_h=2,
    final_runs=1,
    trials=10,
    trial_share=0.1,
    failed_share=0.1,
    idle_share=0.05,
    preemptions_per_h=0.05,
    checkpoint_every_h=2,
    restart_h=0.2,
    storage_usd=50,
    labeling_usd=400,
    engineer_hours=20,
    engineer_usd_per_h=100,
)


def test_a_projection_by_hand():
    cost = training_cost(SPEC)
    assert cost.quantities["gpu_hours"] == pytest.approx(100 * 1.06 * 1.15 * 2)
    assert cost.usd == pytest.approx({"compute": 487.6, "storage": 50, "labeling": 400, "people": 2_000})
    assert cost.total_usd == pytest.approx(2_937.6)
    for line in cost.lines:
        assert set(line.terms) <= set(line.formula.replace("(", " ").replace(")", " ").split())


AMOUNTS = [field.name for field in dataclasses.fields(Training)]


@given(st.sampled_from(AMOUNTS), st.floats(1, 10))
def test_more_of_anything_never_costs_less(name, factor):
    more = dataclasses.replace(SPEC, **{name: getattr(SPEC, name) * factor})
    assert training_cost(more).total_usd >= training_cost(SPEC).total_usd - 1e-9


def test_draws_are_computed_like_numbers():
    spec = dataclasses.replace(SPEC, gpu_hours=Range(50, 200), usd_per_gpu_h=Range(1, 4))
    draws = drawn(spec, n=500)
    together = training_cost(draws).total_usd
    each = [
        training_cost(dataclasses.replace(SPEC, gpu_hours=float(hours), usd_per_gpu_h=float(price))).total_usd
        for hours, price in zip(draws.gpu_hours, draws.usd_per_gpu_h, strict=True)
    ]
    assert np.allclose(together, each)


@pytest.mark.parametrize("value", [-1, math.inf, math.nan, "12", True, None])
def test_what_is_no_amount_is_refused_with_its_field(value):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(SPEC, trials=value)
    assert refused.value.field == "trials"
