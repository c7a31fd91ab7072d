"""What an option gains and costs in a quarter: only stated values, and the same draws whenever they are drawn."""

import numpy as np
import pytest

from tests.unit.toolkit.costs.specs import BOOK, at_path, small
from weighbridge.costs.projection import project
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.quarter_draws import quarter_draws
from weighbridge.costs.value.worth import worth


def valued(**changes):
    document = small()
    for option in document["options"]:
        option["quality"] = {"kind": "level", "metric": 0.3 if option["id"] == "own" else 0.2, "source": "a log"}
    document["value"] = {"baseline": "api", "adoption": 0.5, "stakes": {"kind": "deflection", "usd_per_contact": 2}}
    return document | changes


def test_gains_and_costs_are_a_fourth_of_those_of_the_projection():
    spec = read_spec(valued(), BOOK)
    api, own = quarter_draws(spec, seed=7, draws=50)
    projection = project(spec, seed=7, draws=50)
    (gain,) = [each.gain_usd for each in worth(projection) if each.option == "own"]
    metrics = projection.of("own").metrics
    assert (api.option, api.gain_usd.tolist(), own.option) == ("api", [0.0] * 50, "own")
    assert own.gain_usd == pytest.approx(gain * 0.5 / 4)
    assert own.running_usd == pytest.approx((metrics["inference_cost_1y_usd"] + metrics["upkeep_1y_usd"]) / 4)
    assert own.training_usd == pytest.approx(metrics["training_cost_usd"])
    assert own.training_gpu_hours == pytest.approx(metrics["training_gpu_hours"])
    assert (own.is_served, len(own.running_usd)) == (True, 50)


def test_without_a_value_nothing_is_gained_nor_invented():
    spec = read_spec(small(), BOOK)
    assert [each.gain_usd for each in quarter_draws(spec, seed=7, draws=10)] == [None, None]


def test_draws_are_those_of_their_seed():
    spec = read_spec(at_path(valued(), ("load", "requests_per_year"), [1e6, 3e6]), BOOK)
    one, again, other = (quarter_draws(spec, seed=seed, draws=20)[0].running_usd for seed in (1, 1, 2))
    assert (one == again).all()
    assert not np.allclose(one, other)


def test_a_load_that_may_not_be_served_is_told():
    document = at_path(valued(), ("options", 1, "serving", "service_s"), [0.03, 0.12])
    assert [each.is_served for each in quarter_draws(read_spec(document, BOOK), seed=7, draws=200)] == [True, False]
