"""The time model: costs, benefits and annual amounts share it; its properties hold at any rate, growth and start."""

import dataclasses

import numpy as np
import numpy_financial
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.specs import BOOK, small
from weighbridge.core.errors import Invalid
from weighbridge.costs.calculators import calculate
from weighbridge.costs.parts.ownership import Ownership, total_cost
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.projection import project
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.value.worth import worth


def rounded(least, most):
    return st.floats(least, most).map(lambda number: round(number, 6))


TIMES = st.builds(
    TimeModel,
    years=st.integers(1, 30),
    discount_rate=rounded(-0.3, 0.6),
    volume_growth=rounded(-0.5, 1.0),
    start_month=st.integers(1, 12),
)
AMOUNTS = st.floats(0.01, 1e9)


def year_by_year(time, rise):
    """The factor once more: a loop over years, each with its months in service and their middle."""
    total = 0.0
    for year in range(time.years):
        first = time.start_month - 1 if year == 0 else 0
        middle = year + (first + 12) / 24
        total += (12 - first) / 12 * rise**year / (1 + time.discount_rate) ** middle
    return total


@given(TIMES, st.floats(0.3, 3))
def test_a_factor_is_the_sum_over_its_years(time, rise):
    assert time.factor(rise) == pytest.approx(year_by_year(time, rise))
    assert time.present_by_month(time.rising(1.0, rise))[-1] == pytest.approx(year_by_year(time, rise))


@given(st.integers(1, 30), st.floats(0.001, 0.5), st.floats(-0.3, 0.5))
def test_a_whole_first_year_is_what_numpy_financial_says(years, rate, growth):
    time = TimeModel(years=years, discount_rate=rate, volume_growth=growth)
    flows = [0.0, *((1 + growth) ** year for year in range(years))]
    expected = numpy_financial.npv(rate, flows) * (1 + rate) ** 0.5
    assert time.factor(time.volume_rise) == pytest.approx(float(expected))


@given(TIMES, AMOUNTS)
def test_a_constant_amount_is_its_own_equivalent_annual_amount(time, usd):
    assert time.annual_usd(usd * time.factor()) == pytest.approx(usd)


@given(TIMES, AMOUNTS)
def test_the_equivalent_annual_amount_has_the_same_present_value(time, usd):
    assert time.annual_usd(usd) * time.factor() == pytest.approx(usd)


@given(TIMES, st.floats(0.3, 3), AMOUNTS, AMOUNTS)
def test_amounts_add_up(time, rise, one, other):
    both = (one + other) * time.factor(rise)
    assert both == pytest.approx(one * time.factor(rise) + other * time.factor(rise))


@given(st.integers(1, 30), st.integers(1, 12), st.floats(0.5, 2))
def test_without_a_rate_it_is_the_plain_sum(years, start, rise):
    time = TimeModel(years=years, discount_rate=0, start_month=start)
    assert time.factor() == pytest.approx(years - (start - 1) / 12)
    assert time.factor(rise) == pytest.approx((13 - start) / 12 + sum(rise**year for year in range(1, years)))


@given(TIMES)
def test_one_year_never_grows(time):
    one = dataclasses.replace(time, years=1)
    assert one.factor(one.volume_rise) == one.factor()


@given(TIMES, st.floats(0.9, 3))
def test_months_rise_to_the_factor_and_start_in_the_month_of_going_live(time, rise):
    sums = time.present_by_month(time.rising(1.0, rise))
    assert len(sums) == 12 * time.years
    assert (sums[: time.start_month - 1] == 0).all()
    assert sums[time.start_month - 1] > 0
    assert (np.diff(sums[time.start_month - 1 :]) >= 0).all()


@given(TIMES)
def test_draws_of_growth_are_each_their_own_time_model(time):
    growth = np.array([-0.2, 0.0, 0.3])
    drawn = dataclasses.replace(time, volume_growth=growth)
    alone = [dataclasses.replace(time, volume_growth=each) for each in growth.tolist()]
    assert drawn.factor(drawn.volume_rise) == pytest.approx([each.factor(each.volume_rise) for each in alone])
    months = drawn.present_by_month(drawn.rising(1.0, drawn.volume_rise))
    assert months.shape == (3, 12 * time.years)
    assert months[1] == pytest.approx(alone[1].present_by_month(alone[1].rising(1.0, 1.0)))


def projected_net(time, *, gain, fee, cases=None):
    """The net of an option that gains `gain` a request and costs `fee` a request, against one that does neither."""
    stakes = {"kind": "deflection", "usd_per_contact": gain} | ({} if cases is None else {"cases_per_year": cases})
    document = small(horizon=time.time, value={"baseline": "free", "stakes": stakes})
    option = document["options"][0]
    option["serving"]["fee_usd"]["usd"] = fee
    free = {"id": "free", "serving": {"kind": "serverless", "memory_gb": 0, "duration_s": 0, "usd_per_gb_s": FREE}}
    document["options"] = [
        {**option, "quality": {"kind": "level", "metric": 1.0, "source": "a test"}},
        {**free, "ownership": {"development_usd": 0}, "quality": {"kind": "level", "metric": 0.0, "source": "none"}},
    ]
    paying, _ = worth(project(read_spec(document, BOOK), draws=100))
    return paying


FREE = {"usd": 0, "unit": "gb_s", "as_of": "2026-09-01", "source": "a page"}


@given(TIMES, rounded(0.001, 10), rounded(0.001, 10))
@example(TimeModel(years=5, discount_rate=0.08, volume_growth=1.0, start_month=1), 0.06, 0.04)
def test_a_gain_and_a_cost_of_each_request_leave_their_difference(time, gain, fee):
    paying = projected_net(time, gain=gain, fee=fee)
    expected = (gain - fee) * 1_000_000 * time.factor(time.volume_rise)
    assert paying.net_usd[0] == pytest.approx(expected, rel=1e-9, abs=1e-12 * paying.extra_cost_usd[0])
    assert paying.pays == float(paying.net_usd[0] >= 0.005)


def test_six_cents_for_four_a_request_that_doubles_each_year_are_140_000_in_three_years():
    paying = projected_net(TimeModel(years=3, discount_rate=0, volume_growth=1.0), gain=0.06, fee=0.04)
    assert paying.net_usd[0] == pytest.approx(140_000)  # 0.02 · (1 + 2 + 4) million, not 180,000 less 280,000
    assert paying.pays == 1


@given(TIMES, rounded(0.01, 10))
def test_an_equal_gain_and_cost_net_to_zero(time, usd):
    paying = projected_net(time, gain=usd, fee=usd)
    assert paying.net_usd[0] == pytest.approx(0, abs=1e-9 * paying.extra_cost_usd[0])
    assert paying.pays == 0 or paying.extra_cost_usd[0] > 1e9
    assert paying.break_even_points[0] == pytest.approx(100)  # all of the metric pays for all of the cost


@given(TIMES)
def test_cases_of_their_own_number_grow_with_the_volume_too(time):
    paying = projected_net(time, gain=2, fee=0.001, cases=5_000)
    expected = (2 * 5_000 - 0.001 * 1_000_000) * time.factor(time.volume_rise)
    assert paying.net_usd[0] == pytest.approx(expected)


@given(TIMES, rounded(-0.3, 0.3))
def test_a_drift_of_prices_moves_costs_alone(time, drift):
    spec = Ownership(development_usd=0, serving_usd=100, price_drift=drift, license_usd=7, **time.time)
    usd = total_cost(spec).usd
    assert usd["serving"] == pytest.approx(100 * time.factor((1 + time.volume_growth) * (1 + drift)))
    assert usd["licenses"] == pytest.approx(7 * time.factor())


@given(TIMES)
def test_the_calculator_of_value_has_the_same_time_model(time):
    stakes = {"prevalence": 0.01, "cases_per_year": 1e7, "loss_per_false_negative_usd": 120}
    document = {"recall": 0.8, "recall_after": 0.85, "stakes": stakes, **time.time}
    line = calculate("value", document, BOOK, draws=100)["lines"][0]
    assert float(line["usd"]) == pytest.approx(600_000 * time.factor(time.volume_rise), rel=1e-9, abs=0.01)
    assert line["terms"]["present_value_factor"] == pytest.approx(time.factor(time.volume_rise))


@given(TIMES)
def test_a_projection_pays_back_a_constant_cost_as_it_is(time):
    document = small(horizon={**time.time, "volume_growth": 0})
    document["options"] = document["options"][:1]
    (option,) = project(read_spec(document, BOOK), draws=100).options
    assert option.metrics["equivalent_annual_usd"] == pytest.approx([1_000] * 100)
    assert option.metrics["tco_usd"] == pytest.approx([1_000 * time.factor()] * 100)


@given(st.integers(1, 4), rounded(-0.5, 8), rounded(-0.2, 0.4), rounded(-0.2, 0.2))
def test_replicas_of_each_year_are_sized_for_its_volume(years, growth, rate, drift):
    horizon = {"years": years, "volume_growth": growth, "discount_rate": rate, "start_month": 3}
    document = small(horizon=horizon, load={"requests_per_year": 1e9})
    document["options"] = document["options"][1:]
    document["options"][0]["ownership"] = {"development_usd": 0, "price_drift": drift, "monitoring_share": 0.5}
    found = project(read_spec(document, BOOK), draws=100).options[0]

    def year_alone(year):
        one = {**document, "horizon": {"years": 1}, "load": {"requests_per_year": 1e9 * (1 + growth) ** year}}
        return project(read_spec(one, BOOK), draws=100).options[0].middle.serving.total_usd

    yearly = [year_alone(year) * (1 + drift) ** year for year in range(years)]
    time = TimeModel(**horizon)
    assert found.middle.tco.usd["serving"] == pytest.approx(time.present_usd(yearly))
    assert found.middle.tco.usd["monitoring"] == pytest.approx(time.present_usd(yearly) / 2)


def test_replicas_that_are_not_busy_do_not_grow_with_the_volume():
    document = small(horizon={"years": 3, "discount_rate": 0, "volume_growth": 1.0})
    found = project(read_spec(document, BOOK), draws=100)
    # One replica serves a million requests as well as four; the calls of the API are paid one by one.
    assert found.of("own").middle.tco.usd["serving"] == pytest.approx(3 * 0.096 * 8_760)
    assert found.of("api").middle.tco.usd["serving"] == pytest.approx(1_000 * (1 + 2 + 4))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"years": 31}, "1 to 30 years"),
        ({"discount_rate": 1}, "between -0.5 and 1"),
        ({"start_month": 13}, "1 to 12, not 13"),
        ({"volume_growth": -1.1}, "must be a number of -1 or more"),
    ],
)
def test_what_is_no_time_is_refused_with_its_path(change, reason):
    (name,) = change
    with pytest.raises(Invalid, match=reason) as refused:
        read_spec(small(horizon=change), BOOK)
    assert refused.value.field == f"horizon.{name}"
