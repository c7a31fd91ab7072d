from decimal import Decimal

import pytest

from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from governance.rulebook.domain.policy_diff import diff
from tests.unit.governance.rulebook.builders import policy
from weighbridge.core.errors import Invalid


def test_a_policy_without_the_section_watches_as_before():
    watched = policy().monitoring
    assert watched == Monitoring() == policy(monitoring={}).monitoring == policy(monitoring=None).monitoring
    assert (watched.cost_tolerance, watched.drift, watched.prices_valid_days) == (Decimal("0.12"), Decimal("0.1"), 180)
    assert watched.re_review_on == tuple(kind for kind in BreachKind if kind is not BreachKind.PRICES)
    assert watched.price_change == Decimal("0.1")


def test_what_is_named_counts_and_the_rest_stays():
    watched = policy(monitoring={"cost_tolerance_percent": 7.5, "re_review_on": ["prices", "cost"]}).monitoring
    assert (watched.cost_tolerance, watched.drift_percent) == (Decimal("0.075"), 10)
    assert watched.re_review_on == (BreachKind.PRICES, BreachKind.COST)
    other = policy(monitoring={"drift_percent": 0, "prices_valid_days": 30}).monitoring
    assert (other.drift, other.prices_valid_days, other.re_review_on) == (0, 30, Monitoring().re_review_on)


def test_an_empty_list_opens_nothing():
    assert policy(monitoring={"re_review_on": []}).monitoring.re_review_on == ()


@pytest.mark.parametrize(
    ("section", "field", "words"),
    [
        ({"cost_tolerance_percent": -1}, "monitoring.cost_tolerance_percent", "percentage from 0 to 100"),
        ({"cost_tolerance_percent": "much"}, "monitoring.cost_tolerance_percent", "must be a number"),
        ({"drift_percent": 100.5}, "monitoring.drift_percent", "percentage from 0 to 100"),
        ({"price_change_percent": 101}, "monitoring.price_change_percent", "a percentage from 0 to 100"),
        ({"prices_valid_days": 0}, "monitoring.prices_valid_days", "1 or more"),
        (
            {"re_review_on": ["speed"]},
            "monitoring.re_review_on",
            "may list only cost, latency, quality, price_change, retirement",
        ),
        ({"re_review_on": ["cost", "cost"]}, "monitoring.re_review_on", "contains a duplicate"),
        ({"re_review_on": "cost"}, "monitoring.re_review_on", "must be a list"),
        ({"tolerance": 1}, "monitoring.tolerance", "the known keys are cost_tolerance_percent, deny_above_limit"),
        ([], "monitoring", "must be a mapping"),
    ],
)
def test_a_faulty_section_is_refused_with_its_path(section, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        policy(monitoring=section)
    assert refusal.value.field == field


def test_a_difference_is_told_in_words_and_the_order_of_breaches_is_none():
    assert (
        diff(
            policy(), policy(monitoring={"re_review_on": ["quality", "retirement", "latency", "price_change", "cost"]})
        )
        == ()
    )
    assert diff(policy(), policy(monitoring={"drift_percent": "10.0"})) == ()
    new = policy(monitoring={"cost_tolerance_percent": 20, "prices_valid_days": 90, "re_review_on": []})
    assert [change.words for change in diff(policy(), new)] == [
        "Monitoring cost tolerance percent changed from 12 to 20.",
        "Monitoring prices valid days changed from 180 to 90.",
        "Monitoring re review on changed from cost, latency, price_change, quality, retirement to nothing.",
    ]
