"""Crossover: where two options with costs that fit on a hand cross, over volume and over months."""

import numpy as np
import pytest

from tests.unit.toolkit.costs.specs import BOOK, at_path, small
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.crossover import crossover


def pair_of(document):
    (pair,) = crossover(read_spec(document, BOOK), seed=1, draws=100).pairs
    return pair


def test_the_api_is_cheaper_below_what_a_replica_costs():
    # own: 100 USD at once and 840.96 a year, against a tenth of a cent a call; discounted at 0, over one year.
    document = small(horizon={"years": 1, "discount_rate": 0})
    pair = pair_of(document)
    assert (pair.first, pair.second, pair.volume_probability) == ("api", "own", 1.0)
    assert pair.volume["p50"] == pytest.approx(940_960, rel=0.03)  # between two volumes of the grid
    assert pair.cheaper_at == (1.0,) * 8 + (0.0,) * 9
    # At a million calls: 83.33 USD a month against 100 at once and 70.08 a month; ahead until the eighth month.
    assert (pair.month["p50"], pair.month_probability) == (1.0, 1.0)


def test_the_dear_start_pays_off_in_the_eighth_month():
    document = small(horizon={"years": 1, "discount_rate": 0})
    document["options"].reverse()
    pair = pair_of(document)
    assert (pair.first, pair.month["p50"], pair.month_probability) == ("own", 8.0, 1.0)


def test_options_that_never_cross_say_so():
    document = at_path(
        small(),
        ("options", 1, "serving"),
        {
            "kind": "managed-api",
            "fee_usd": {"usd": 0.002, "unit": "request", "as_of": "2026-09-01", "source": "a page"},
        },
    )
    pair = pair_of(document)
    assert (pair.volume, pair.volume_probability) == (None, 0.0)
    document["options"].reverse()
    assert (pair_of(document).month, pair_of(document).month_probability) == (None, 0.0)


def test_draws_cross_each_at_its_own_volume():
    document = small()
    document["options"][0]["serving"]["fee_usd"]["usd"] = [0.0005, 0.002]
    found = crossover(read_spec(document, BOOK), seed=1, draws=100)
    (pair,) = found.pairs
    assert pair.volume["p10"] < pair.volume["p50"] < pair.volume["p90"]
    assert np.all(np.diff(pair.cheaper_at) <= 0)
    assert len(found.volumes) == len(found.costs["api"]) == 17
    assert found.volumes[8] == pytest.approx(1e6)


def test_costs_that_are_not_served_leave_the_crossing_in_the_middle():
    # At sixteen times the load the slow draws are served by nobody, at none of the volumes.
    document = at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12])
    pair = pair_of(document)
    assert 0 < pair.volume_probability < 1
