import pytest

from tests.factories.costs import cost_spec
from weighbridge.costs.measured import ServiceTime, with_measured

TIME = ServiceTime(0.0016, 0.0017)


def test_the_measured_time_takes_the_place_of_the_assumed_one():
    spec = cost_spec()
    changed = with_measured(spec, option="own", time=TIME)
    assert changed["options"][0]["serving"]["service_s"] == [0.0016, 0.0017]
    assert spec == cost_spec()
    changed["options"][0]["serving"]["service_s"] = [0.1, 0.14]
    assert changed == spec


def test_an_endpoint_keeps_it_with_its_replicas():
    spec = cost_spec()
    serving = spec["options"][0]["serving"]
    del serving["kind"]
    spec["options"][0]["serving"] = {"kind": "endpoint", "replicas": serving}
    changed = with_measured(spec, option="own", time=TIME)
    assert changed["options"][0]["serving"]["replicas"]["service_s"] == [0.0016, 0.0017]


@pytest.mark.parametrize("option", ["api", "nobody"])
def test_an_option_without_replicas_has_nothing_to_draw_anew(option):
    assert with_measured(cost_spec(), option=option, time=TIME) is None


def test_a_service_time_does_not_replace_measured_tokens():
    spec = cost_spec()
    spec["options"][0]["serving"] |= {"service_s": None, "tokens_per_s": 2_000, "tokens_per_request": 300}
    assert with_measured(spec, option="own", time=TIME) is None
