"""Worth: answers valued by hand, and "5 % more for 20 % more cost" answered with a distribution."""

import dataclasses

import numpy as np
import pytest

from tests.unit.toolkit.costs.specs import BOOK, TODAY, at_path, small, template
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.uncertainty import Range
from weighbridge.costs.value import answer_quality as answers
from weighbridge.costs.value.worth import worth

FRAUD = answers.Detection(
    prevalence=0.01, cases_per_year=1e7, loss_per_false_negative_usd=120, loss_per_false_positive_usd=5
)
TEST = answers.Confusion(
    true_positives=80,
    false_negatives=20,
    false_positives=10,
    true_negatives=990,
    operating_point="0.5",
    source="a test",
)


def change(metric, by, how):
    return answers.QualityChange(metric=metric, by=by, how=how, source="a claim")


def test_points_and_relative_are_two_questions():
    assert change("recall", 0.05, "points").of(0.80, 0.01) == (pytest.approx(0.85), 0.01)
    assert change("recall", 0.05, "relative").of(0.80, 0.01) == (pytest.approx(0.84), 0.01)
    assert change("false_alarm_rate", 0.2, "relative").of(0.80, 0.01) == (0.80, pytest.approx(0.012))
    assert change("recall", 0.5, "points").of(0.80, 0.01)[0] == 1.0


def test_five_points_of_recall_are_600_000_dollars_and_501_000_with_more_false_alarms():
    before = FRAUD.year_usd((0.80, 0.010), 1e7)
    assert FRAUD.year_usd((0.85, 0.010), 1e7) - before == pytest.approx(600_000)
    assert FRAUD.year_usd((0.85, 0.012), 1e7) - before == pytest.approx(501_000)
    assert FRAUD.per_point_usd(1e7) == pytest.approx(120_000)


def test_a_prevalence_may_be_a_range():
    assert dataclasses.replace(FRAUD, prevalence=Range(0.01, 0.02)).prevalence.high == 0.02


def test_the_other_kinds_of_worth():
    assert answers.Uplift(order_usd=50, margin=0.3).year_usd(0.001, 1e6) == pytest.approx(15_000)
    assert answers.Uplift(order_usd=50, margin=0.3).per_point_usd(1e6) == pytest.approx(150_000)
    assert answers.ForecastQuality(usd_per_unit_error=3).year_usd(2.0, 100) == -600
    assert answers.ForecastQuality(usd_per_unit_error=3).per_point_usd(100) == 300
    assert answers.Deflection(usd_per_contact=6).year_usd(0.02, 1e5) == pytest.approx(12_000)
    assert answers.Deflection(usd_per_contact=6).per_point_usd(1e5) == pytest.approx(6_000)


def test_rates_are_counted_and_drawn_around_that():
    assert TEST.rates == (0.8, 0.01)
    recall, alarms = TEST.draw(n=20_000, seed=1, stream="a")
    assert recall.mean() == pytest.approx(81 / 102, abs=0.002)
    assert alarms.mean() == pytest.approx(11 / 1_002, abs=0.0005)
    again, other = TEST.draw(n=20_000, seed=1, stream="a"), TEST.draw(n=20_000, seed=1, stream="b")
    assert (again[0] == recall).all()
    assert (other[0] != recall).any()


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: dataclasses.replace(TEST, true_positives=0, false_negatives=0), "true_positives"),
        (lambda: dataclasses.replace(TEST, false_positives=0, true_negatives=0), "true_negatives"),
        (lambda: dataclasses.replace(FRAUD, prevalence=1.5), "prevalence"),
        (lambda: dataclasses.replace(FRAUD, cases_per_year=-1), "cases_per_year"),
        (lambda: answers.QualityLevel(metric=-1, source="x"), "metric"),
    ],
)
def test_what_values_nothing_is_refused(make, field):
    with pytest.raises(Invalid) as refused:
        make()
    assert refused.value.field == field


@pytest.fixture(scope="module")
def projection():
    return project(read_spec(template(), shipped_book(TODAY)), draws=500)


def test_the_net_is_the_gain_over_the_years_less_the_extra_cost(projection):
    api, own = worth(projection)
    assert (api.gain_usd == 0).all()
    assert (api.net_usd == 0).all()
    assert api.pays == 0
    extra = projection.of("own").metrics["tco_usd"] - projection.of("api").metrics["tco_usd"]
    assert (own.extra_cost_usd == extra).all()
    assert (own.gain_usd > 0).all()
    assert (own.kept == 1).all()
    assert own.pays > 0.99
    assert ((own.break_even_points == 0) == (extra <= 0)).all()  # what is cheaper anyway needs no gain


def test_a_mitigation_keeps_part_of_the_gain_and_dearer_options_need_points_to_pay():
    document = template()
    api, own = document["options"]
    own["ownership"]["development_usd"] = 900_000
    document["options"] = [api, own, {**own, "id": "int8", "quality": {**own["quality"], "by": 0.04}}]
    by_id = {each.option: each for each in worth(project(read_spec(document, shipped_book(TODAY)), draws=300))}
    assert np.median(by_id["int8"].kept) == pytest.approx(0.8)
    points = by_id["own"].break_even_points
    factor = 1.08**-1 + 1.08**-2 + 1.08**-3
    assert (points >= 0).all()
    assert points.max() > 0
    # At the break-even gain the net is zero: net = gain · (1 - points / 5 points), where the extra cost is positive.
    is_dearer = by_id["own"].extra_cost_usd > 0
    gain = by_id["own"].net_usd + by_id["own"].extra_cost_usd
    assert by_id["own"].net_usd[is_dearer] == pytest.approx((gain * (1 - points / 5))[is_dearer], rel=1e-6)
    assert factor > 2


def test_every_request_is_a_case_unless_the_stakes_count_their_own():
    document = small(value={"baseline": "api", "stakes": {"kind": "deflection", "usd_per_contact": 2}})
    document["options"][0]["quality"] = {"kind": "level", "metric": 0.3, "source": "a log"}
    document["options"][1]["quality"] = {"kind": "level", "metric": [0.35, 0.45], "source": "a test"}
    found = worth(project(read_spec(document, BOOK)))
    assert found[0].year_usd[0] == pytest.approx(0.3 * 2 * 1e6)
    assert np.median(found[1].gain_usd) == pytest.approx((0.3969 - 0.3) * 2e6, rel=0.05)
    levels = as_document(project(read_spec(document, BOOK)))["options"][1]["quality"]
    assert levels == {"kind": "level", "metric": [0.35, 0.45], "source": "a test"}


def test_nothing_is_valued_where_nothing_is_said():
    assert worth(project(read_spec(small(), BOOK))) == ()
    document = at_path(template(), ("options", 1, "quality"), None)
    assert [each.option for each in worth(project(read_spec(document, shipped_book(TODAY)), draws=200))] == ["api"]
