import pytest

from tests.factories.costs import PRICE, cost_spec
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.spec.spec_file import read_spec


@pytest.mark.parametrize("usd", [1.0, 1, 0.5, 0])
def test_every_price_keeps_its_amount_in_the_document(usd):
    spec = cost_spec(only="own")
    spec["options"][0]["serving"]["usd_per_replica_h"] = {**PRICE, "usd": usd}
    (pin,) = [pin for pin in read_spec(spec, shipped_book()).pins if pin.path.endswith("usd_per_replica_h")]
    assert pin.as_document() == {
        "path": "options[0].serving.usd_per_replica_h",
        "usd": str(float(usd)),
        "unit": "instance_h",
        "as_of": "2026-09-01",
        "source": "a quote of September 2026",
    }


def test_a_factor_and_a_divisor_are_told_where_they_are_something():
    spec = cost_spec(only="own")
    spec["options"][0]["serving"]["usd_per_replica_h"] = {**PRICE, "factor": [0.6, 0.9], "divided_by": 8}
    (pin,) = [pin for pin in read_spec(spec, shipped_book()).pins if pin.path.endswith("usd_per_replica_h")]
    assert (pin.as_document()["factor"], pin.as_document()["divided_by"]) == ([0.6, 0.9], 8.0)
