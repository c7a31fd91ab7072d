from decimal import Decimal

import pytest

from governance.bills.domain.variance.calibration import Widening
from reviews.evidence.domain.projected import (
    ProjectedValue,
    check_option,
    only_option,
    option_ids,
    projected_metric_values,
    widened_metric_values,
)
from weighbridge.core.errors import Invalid

LEVELS = {"p10": "80.00", "p50": "100.00", "p80": "120.00", "p90": "140.00", "unserved_probability": 0.0}


def document(*options: str, **changes: object):
    metric_values = {
        "tco_usd": {**LEVELS, "unit": "USD"},
        "total_cost_1y_usd": {**LEVELS, "unit": "USD", **changes},
        "training_gpu_hours": {**LEVELS, "unit": "gpu_h"},
    }
    return {"draws": 10_000, "options": [{"id": option, "metrics": metric_values} for option in options]}


def test_the_facts_among_the_metric_values_are_taken_in_the_order_of_the_catalog():
    found = projected_metric_values(document("own", "api"), option="api")
    assert [metric_value.name for metric_value in found] == ["training_gpu_hours", "total_cost_1y_usd"]
    assert found[1] == ProjectedValue(
        name="total_cost_1y_usd",
        unit="USD",
        value=Decimal("100.00"),
        lower=Decimal("80.00"),
        upper=Decimal("140.00"),
        p80=Decimal("120.00"),
        n=10_000,
    )


def test_a_load_that_nothing_serves_is_no_metric_value():
    with pytest.raises(Invalid, match="No number of replicas serves the load in 12% of the draws") as refused:
        projected_metric_values(document("own", p90=None, unserved_probability=0.12), option="own")
    assert (refused.value.code, refused.value.field) == ("load_unserved", "projection")


def test_an_unknown_option_is_refused_with_the_known_ones():
    with pytest.raises(Invalid, match="has no option 'gpu'; it has own, api") as refused:
        projected_metric_values(document("own", "api"), option="gpu")
    assert refused.value.field == "option"
    check_option(document("own"), option="own")


def test_the_only_option_need_not_be_named():
    assert only_option(document("own")) == "own"
    assert option_ids(document("own", "api")) == ("own", "api")
    with pytest.raises(Invalid, match="Choose the option of this request: own, api") as refused:
        only_option(document("own", "api"))
    assert refused.value.field == "option"


def test_only_yearly_costs_are_widened_and_say_by_how_much():
    metric_values = projected_metric_values(document("own"), option="own")
    hours, total = widened_metric_values(metric_values, widening=Widening(Decimal("1.5"), 12))
    assert hours == metric_values[0]
    assert (total.value, total.lower, total.p80, total.upper) == (100, 70, 130, 160)
    assert total.note == "range 1.5 times as wide as projected (80 to 140), by 12 billed months of earlier projections"
